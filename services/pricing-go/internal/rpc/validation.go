package rpc

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const (
	namesMax  = 24
	longChars = 11
)

var (
	number    = regexp.MustCompile(`-?\d+(?:\.\d+)?`)
	oneListed = regexp.MustCompile(`^must not be in list \[([^,\]]+)\]$`)
)

// check refuses a request that breaks a rule of the contract, with every violation.
func check(validator protovalidate.Validator, request proto.Message) error {
	err := validator.Validate(request)
	if err == nil {
		return nil
	}
	var found *protovalidate.ValidationError
	if !errors.As(err, &found) {
		return err
	}
	violations := make([]Violation, 0, len(found.Violations))
	for _, each := range found.Violations {
		path := fieldPath(each.Proto.GetField())
		violations = append(violations, Violation{path, words(each, request.ProtoReflect().Descriptor()), each.Proto.GetRuleId()})
	}
	return Invalid(violations...)
}

// fieldPath is a path as people write it: legs[2].notional, limits["desk"].
func fieldPath(path *validate.FieldPath) string {
	var text strings.Builder
	for i, element := range path.GetElements() {
		if i > 0 {
			text.WriteByte('.')
		}
		text.WriteString(element.GetFieldName())
		switch key := element.GetSubscript().(type) {
		case *validate.FieldPathElement_Index:
			fmt.Fprintf(&text, "[%d]", key.Index)
		case *validate.FieldPathElement_StringKey:
			fmt.Fprintf(&text, "[%q]", key.StringKey)
		case *validate.FieldPathElement_BoolKey:
			fmt.Fprintf(&text, "[%t]", key.BoolKey)
		case *validate.FieldPathElement_IntKey:
			fmt.Fprintf(&text, "[%d]", key.IntKey)
		case *validate.FieldPathElement_UintKey:
			fmt.Fprintf(&text, "[%d]", key.UintKey)
		}
	}
	return text.String()
}

// words say what would be right: names instead of numbers, numbers that one can read.
func words(found *protovalidate.Violation, message protoreflect.MessageDescriptor) string {
	rule, said := found.Proto.GetRuleId(), found.Proto.GetMessage()
	if said == "" {
		said = "breaks the rule " + rule
	}
	value := found.FieldValue
	if field := fieldAt(found, message); strings.HasPrefix(rule, "enum.") && field != nil && field.Enum() != nil {
		return ofEnum(value, field)
	}
	if rule == "required" {
		if names := members(found, message); len(names) > 0 {
			return "give one of " + strings.Join(names, ", ")
		}
	}
	if text, isText := value.Interface().(string); rule == "string.pattern" && isText && text == "" {
		return "is empty: " + said
	}
	if strings.HasPrefix(rule, "double.") || strings.HasPrefix(rule, "float.") {
		said = shortNumbers(said)
		if v, isFloat := value.Interface().(float64); isFloat && math.IsNaN(v) {
			return "is NaN: " + said
		} else if isFloat && math.IsInf(v, 0) {
			return "is infinite: " + said
		}
	}
	return oneListed.ReplaceAllString(said, "must not be $1")
}

func ofEnum(value protoreflect.Value, field protoreflect.FieldDescriptor) string {
	rules, _ := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules)
	refused := map[int32]bool{}
	for _, number := range append(rules.GetEnum().GetNotIn(), rules.GetRepeated().GetItems().GetEnum().GetNotIn()...) {
		refused[number] = true
	}
	var names []string
	values := field.Enum().Values()
	for i := range values.Len() {
		if each := values.Get(i); !refused[int32(each.Number())] {
			names = append(names, string(each.Name()))
		}
	}
	listed := strings.Join(names[:min(namesMax, len(names))], ", ")
	if len(names) > namesMax {
		listed += " …"
	}
	given, _ := value.Interface().(protoreflect.EnumNumber)
	if given == 0 && !field.HasPresence() && !field.IsList() {
		return "is not given: give one of " + listed
	}
	if known := values.ByNumber(given); known != nil {
		return fmt.Sprintf("is %s: give one of %s", known.Name(), listed)
	}
	return fmt.Sprintf("is %d: give one of %s", given, listed)
}

// holder is the message type that holds the field at the end of a path.
func holder(found *protovalidate.Violation, message protoreflect.MessageDescriptor) (protoreflect.MessageDescriptor, string) {
	elements := found.Proto.GetField().GetElements()
	if len(elements) == 0 {
		return nil, ""
	}
	for _, element := range elements[:len(elements)-1] {
		field := message.Fields().ByName(protoreflect.Name(element.GetFieldName()))
		if field == nil || field.Message() == nil || field.IsMap() {
			return nil, ""
		}
		message = field.Message()
	}
	return message, elements[len(elements)-1].GetFieldName()
}

func fieldAt(found *protovalidate.Violation, message protoreflect.MessageDescriptor) protoreflect.FieldDescriptor {
	in, name := holder(found, message)
	if in == nil {
		return nil
	}
	return in.Fields().ByName(protoreflect.Name(name))
}

// members are the fields of a oneof that has none; none for a field that is required.
func members(found *protovalidate.Violation, message protoreflect.MessageDescriptor) []string {
	in, name := holder(found, message)
	if in == nil {
		return nil
	}
	oneof := in.Oneofs().ByName(protoreflect.Name(name))
	if oneof == nil {
		return nil
	}
	var names []string
	for i := range oneof.Fields().Len() {
		names = append(names, string(oneof.Fields().Get(i).Name()))
	}
	return names
}

// shortNumbers writes numbers of many digits in powers of ten, where that says the same.
func shortNumbers(said string) string {
	var text strings.Builder
	from := 0
	for _, at := range number.FindAllStringIndex(said, -1) {
		text.WriteString(said[from:at[0]])
		found := said[at[0]:at[1]]
		from = at[1]
		if part(said, at[0]-1) || part(said, at[1]) {
			text.WriteString(found)
		} else {
			text.WriteString(short(found))
		}
	}
	return text.String() + said[from:]
}

func part(text string, at int) bool {
	return at >= 0 && at < len(text) && (text[at] == '.' || text[at] == '_' || text[at] >= '0' && text[at] <= '9' ||
		text[at] >= 'a' && text[at] <= 'z' || text[at] >= 'A' && text[at] <= 'Z')
}

func short(text string) string {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || len(text) < longChars {
		return text
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(value, 'e', 3, 64), "e")
	power, _ := strconv.Atoi(exponent)
	made := fmt.Sprintf("%se%d", strings.TrimRight(strings.TrimRight(mantissa, "0"), "."), power)
	if again, err := strconv.ParseFloat(made, 64); err != nil || again != value {
		return text
	}
	return made
}
