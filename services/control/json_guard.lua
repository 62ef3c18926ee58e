-- The JSON guard: a filter of the edge, in front of the transcoder, which would drop what it does not know.
--
-- json_guard.py appends the contracts as two tables, and a proxy gets both as one script:
--   MESSAGES[i] = {fields = {[name] = {proto name, child, oneof}}}   a message, by JSON name and by proto name
--               | {value = child}                                    a map
--   ROUTES[verb] = {{segments, open, bytes_max, no_query, taken, message, bound, prefix, shape}}
-- A child is an index of MESSAGES, or 0 where everything is allowed: scalars, Struct, Value, ListValue.

local DEPTH_MAX = 32 -- levels of objects and arrays; protobuf's own parsers stop at 64 to 100
local REPORTED_MAX = 32 -- violations in one answer
local NAME_BYTES_MAX = 64 -- of a field's name that is quoted or compared

local byte, char, find, gsub, lower, sub = string.byte, string.char, string.find, string.gsub, string.lower, string.sub
local concat, format, floor, min = table.concat, string.format, math.floor, math.min

local MESSAGES, ROUTES -- filled in below

-- The body that is being read. A worker reads one at a time: nothing from here to `judge` waits.
local text, at
local trail, trail_kind -- the path to where the reader stands, by depth
local violations, violation_count, unknown_field

local FIELD, INDEX, KEY = 1, 2, 3

local function fail(problem, position)
  error({ problem = problem, position = (position or at) - 1 }, 0)
end

local function skip_space()
  at = find(text, "[^ \t\r\n]", at) or #text + 1
end

local function utf8(code)
  if code < 0x80 then
    return char(code)
  elseif code < 0x800 then
    return char(0xC0 + floor(code / 0x40), 0x80 + code % 0x40)
  elseif code < 0x10000 then
    return char(0xE0 + floor(code / 0x1000), 0x80 + floor(code / 0x40) % 0x40, 0x80 + code % 0x40)
  end
  return char(
    0xF0 + floor(code / 0x40000),
    0x80 + floor(code / 0x1000) % 0x40,
    0x80 + floor(code / 0x40) % 0x40,
    0x80 + code % 0x40
  )
end

-- RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
local function check_utf8()
  local i = find(text, "[\128-\255]")
  while i do
    local lead, second = byte(text, i), byte(text, i + 1) or 0
    local size
    if lead >= 0xC2 and lead <= 0xDF then
      size = 2
    elseif lead == 0xE0 and second >= 0xA0 or lead >= 0xE1 and lead <= 0xEC or lead == 0xED and second < 0xA0 then
      size = 3
    elseif lead == 0xEE or lead == 0xEF then
      size = 3
    elseif lead == 0xF0 and second >= 0x90 or lead >= 0xF1 and lead <= 0xF3 or lead == 0xF4 and second < 0x90 then
      size = 4
    else
      fail("not UTF-8", i)
    end
    for k = 1, size - 1 do
      local next_byte = byte(text, i + k) or 0
      if next_byte < 0x80 or next_byte > 0xBF then
        fail("not UTF-8", i)
      end
    end
    i = find(text, "[\128-\255]", i + size)
  end
end

local PLAIN_ESCAPES = {
  ['"'] = '"',
  ["\\"] = "\\",
  ["/"] = "/",
  b = "\b",
  f = "\f",
  n = "\n",
  r = "\r",
  t = "\t",
}

local function hex4(from)
  if not find(text, "^%x%x%x%x", from) then
    fail("a \\u escape has four hexadecimal digits", from)
  end
  return tonumber(sub(text, from, from + 3), 16)
end

-- The character that the escape at `from` (its backslash) stands for, and the position after it.
local function read_escape(from)
  local letter = sub(text, from + 1, from + 1)
  local plain = PLAIN_ESCAPES[letter]
  if plain then
    return plain, from + 2
  elseif letter ~= "u" then
    fail("unknown escape", from)
  end
  local code = hex4(from + 2)
  if code >= 0xDC00 and code <= 0xDFFF then
    fail("half a surrogate pair", from)
  elseif code < 0xD800 or code > 0xDBFF then
    return utf8(code), from + 6
  end
  if sub(text, from + 6, from + 7) ~= "\\u" then
    fail("half a surrogate pair", from)
  end
  local second = hex4(from + 8)
  if second < 0xDC00 or second > 0xDFFF then
    fail("half a surrogate pair", from)
  end
  return utf8(0x10000 + (code - 0xD800) * 0x400 + second - 0xDC00), from + 12
end

-- Reads the string that begins here; returns it decoded if it is a name. A value is only checked.
local function read_string(is_name)
  local open, from, parts = at, at + 1, {}
  while true do
    local stop = find(text, '["\\%z\1-\31]', from)
    local sign = stop and byte(text, stop)
    if sign == 34 then
      at = stop + 1
      if not is_name then
        return nil
      end
      parts[#parts + 1] = sub(text, from, stop - 1)
      return concat(parts)
    elseif sign == 92 then
      local decoded, after = read_escape(stop)
      if is_name then
        parts[#parts + 1] = sub(text, from, stop - 1)
        parts[#parts + 1] = decoded
      end
      from = after
    elseif sign then
      fail("a control character in a string", stop)
    else
      fail("a string without an end", open)
    end
  end
end

local HUGE = math.huge

-- Whether the number that is skipped is beyond the range of a double.
local function skip_number()
  local _, stop = find(text, "^-?[1-9]%d*", at)
  if not stop then
    _, stop = find(text, "^-?0", at)
  end
  if not stop then
    fail("not a number")
  end
  local _, fraction = find(text, "^%.%d+", stop + 1)
  stop = fraction or stop
  local _, exponent = find(text, "^[eE][+-]?%d+", stop + 1)
  stop = exponent or stop
  if find(text, "^[%w.+-]", stop + 1) then
    fail("not a number")
  end
  local value = (exponent or stop - at > 300) and tonumber(sub(text, at, stop))
  at = stop + 1
  return value and (value == HUGE or value == -HUGE)
end

local function shortened(name)
  if #name <= NAME_BYTES_MAX then
    return name
  end
  local cut = NAME_BYTES_MAX
  while cut > 0 and byte(name, cut + 1) >= 0x80 and byte(name, cut + 1) < 0xC0 do
    cut = cut - 1
  end
  return sub(name, 1, cut) .. "…"
end

-- "legs[2].labels["desk"].stopLos", for the trail down to `depth`.
local function path_at(depth, prefix)
  local path = prefix
  for i = 1, depth do
    local step = trail[i]
    if trail_kind[i] == INDEX then
      path = path .. "[" .. step .. "]"
    elseif trail_kind[i] == KEY then
      path = path .. '["' .. shortened(step) .. '"]'
    else
      path = path .. (path == "" and "" or ".") .. shortened(step)
    end
  end
  return path
end

-- Levenshtein's distance of two names, or `limit` + 1 where it is greater.
local function distance(a, b, limit)
  if #a - #b > limit or #b - #a > limit then
    return limit + 1
  end
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local diagonal, best = row[0], i
    row[0] = i
    for j = 1, #b do
      local above = row[j]
      local change = byte(a, i) == byte(b, j) and 0 or 1
      row[j] = min(diagonal + change, above + 1, row[j - 1] + 1)
      diagonal = above
      best = min(best, row[j])
    end
    if best > limit then
      return limit + 1
    end
  end
  return row[#b]
end

local function bare(name)
  return lower((gsub(name, "[_-]", "")))
end

-- The JSON name that was probably meant: spelling apart from case and underscores first, then up to a third wrong.
local function nearest(message, name)
  local wanted = bare(sub(name, 1, NAME_BYTES_MAX))
  local best, best_distance = nil, floor(#wanted / 3) + 1
  for _, known in ipairs(message.names) do
    local d = distance(wanted, bare(known), best_distance)
    if d < best_distance then
      best, best_distance = known, d
    end
  end
  return best
end

local function report(description, depth, prefix)
  violation_count = violation_count + 1
  if violation_count <= REPORTED_MAX then
    violations[violation_count] = { field = path_at(depth, prefix), description = description }
  end
end

-- Only what is shown is compared: a body full of wrong names must not cost more than its length.
local function report_unknown(message, name, depth, prefix)
  local description = "unknown field"
  if violation_count < REPORTED_MAX then
    local field = path_at(depth, prefix)
    description = format('unknown field "%s"', field)
    local near = nearest(message, name)
    if near then
      description = description .. format('; did you mean "%s"?', near)
    end
    unknown_field = unknown_field or field
  end
  report(description, depth, prefix)
end

local read_value

-- Looks one name up in its message, reports what is wrong with it, and returns its child and what the path binds in it.
local function read_name(message, name, depth, bound, seen, prefix)
  local field = message.fields[name]
  if not field then
    report_unknown(message, name, depth, prefix)
    return 0
  end
  local proto_name, child, oneof = field[1], field[2], field[3]
  if seen[proto_name] then
    report("the field is given twice", depth, prefix)
  end
  seen[proto_name] = true
  -- A null is no choice.
  if oneof and not find(text, "^null", at) then
    if seen[oneof] then
      report(format('"%s" and "%s" exclude each other', seen[oneof], name), depth, prefix)
    end
    seen[oneof] = name
  end
  local inner = bound and bound[proto_name]
  if inner == true then
    report("the path gives this field; leave it out of the body", depth, prefix)
    inner = nil
  end
  return child, inner
end

local function read_object(child, depth, bound, prefix)
  local message = MESSAGES[child]
  local fields = message and message.fields
  local seen = {}
  at = at + 1
  skip_space()
  if byte(text, at) == 125 then
    at = at + 1
    return
  end
  trail_kind[depth] = message and message.value and KEY or FIELD
  while true do
    if byte(text, at) ~= 34 then
      fail("a field name in double quotes is missing")
    end
    local name = read_string(true)
    skip_space()
    if byte(text, at) ~= 58 then
      fail("a colon is missing")
    end
    at = at + 1
    skip_space()
    trail[depth] = name
    local inner_child, inner_bound = 0, nil
    if fields then
      inner_child, inner_bound = read_name(message, name, depth, bound, seen, prefix)
    else
      if seen[name] then
        report("the key is given twice", depth, prefix)
      end
      seen[name] = true
      inner_child = message and message.value or 0
    end
    read_value(inner_child, depth, inner_bound, prefix)
    skip_space()
    local sign = byte(text, at)
    at = at + 1
    if sign == 125 then
      return
    elseif sign ~= 44 then
      fail("a comma or the end of the object is missing", at - 1)
    end
    skip_space()
  end
end

local function read_array(child, depth, bound, prefix)
  at = at + 1
  skip_space()
  if byte(text, at) == 93 then
    at = at + 1
    return
  end
  trail_kind[depth] = INDEX
  local index = 0
  while true do
    trail[depth] = index
    read_value(child, depth, bound, prefix)
    skip_space()
    local sign = byte(text, at)
    at = at + 1
    if sign == 93 then
      return
    elseif sign ~= 44 then
      fail("a comma or the end of the array is missing", at - 1)
    end
    index = index + 1
    skip_space()
  end
end

-- Reads one value. An array is looked through wherever it stands: whether it may stand there is the transcoder's
-- question, and a misspelt field in it is never let through.
function read_value(child, depth, bound, prefix)
  local sign = byte(text, at)
  if sign == 123 or sign == 91 then
    if depth == DEPTH_MAX then
      fail("nested deeper than " .. DEPTH_MAX .. " levels")
    end
    if sign == 123 then
      return read_object(child, depth + 1, bound, prefix)
    end
    return read_array(child, depth + 1, bound, prefix)
  elseif sign == 34 then
    return read_string(false)
  elseif sign == 45 or sign and sign >= 48 and sign <= 57 then
    if skip_number() then
      report("is beyond the range of a double", depth, prefix)
    end
    return
  end
  local _, stop = find(text, "^%a+", at)
  local word = stop and sub(text, at, stop)
  if word ~= "true" and word ~= "false" and word ~= "null" then
    fail(sign and "no JSON value begins here" or "the body ends too early")
  end
  at = stop + 1
end

local SHAPES = { [123] = "object", [91] = "array" }

local function read_body(route)
  check_utf8()
  skip_space()
  if route.shape and at <= #text and SHAPES[byte(text, at)] ~= route.shape then
    fail("no " .. route.shape .. " begins here")
  end
  read_value(route.message, 0, route.bound, route.prefix)
  skip_space()
  if at <= #text then
    fail("something follows the JSON value")
  end
end

local JSON_ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function quoted(value)
  local escaped = gsub(value, '["\\%c]', function(sign)
    return JSON_ESCAPES[sign] or format("\\u%04x", byte(sign))
  end)
  return '"' .. escaped .. '"'
end

-- google.rpc.Status as JSON, with the details that the servers give too.
local function status(code, reason, message, metadata, listed)
  local details = {
    format(
      '{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"%s","domain":"crossrate","metadata":%s}',
      reason,
      metadata
    ),
  }
  if listed then
    local entries = {}
    for i, violation in ipairs(listed) do
      local field, description = quoted(violation.field), quoted(violation.description)
      entries[i] = format('{"field":%s,"description":%s}', field, description)
    end
    details[2] = '{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":['
      .. concat(entries, ",")
      .. "]}"
  end
  return format('{"code":%d,"message":%s,"details":[%s]}', code, quoted(message), concat(details, ","))
end

local function too_large(route, size)
  local message = format("the body has %s bytes; this method takes at most %d", size, route.bytes_max)
  return "413", status(3, "INVALID_REQUEST", message, "{}")
end

-- The HTTP status and body of the refusal of a body, or nil if it may pass.
function judge(route, body)
  if #body == 0 then
    return nil
  elseif not route.message then
    return "400", status(3, "INVALID_REQUEST", "this method takes no body", "{}")
  elseif #body > route.bytes_max then
    return too_large(route, #body)
  end
  text, at, trail, trail_kind = body, 1, {}, {}
  violations, violation_count, unknown_field = {}, 0, nil
  local read, problem = pcall(read_body, route)
  text = nil
  if not read and type(problem) == "table" then
    local message = format("the body cannot be read as JSON: %s (byte %d)", problem.problem, problem.position)
    return "400", status(3, "INVALID_REQUEST", message, format('{"position":"%d"}', problem.position))
  elseif not read then
    error(problem, 0)
  elseif violation_count == 0 then
    return nil
  end
  local first = violations[1]
  local message = first.description
  if not unknown_field or not find(message, "unknown field", 1, true) then
    message = format("%s: %s", first.field, message)
  end
  if violation_count > 1 then
    message = format("%s (and %d more)", message, violation_count - 1)
  end
  if unknown_field then
    return "400", status(3, "UNKNOWN_FIELD", message, '{"field":' .. quoted(unknown_field) .. "}", violations)
  end
  return "400", status(3, "INVALID_REQUEST", message, "{}", violations)
end

local function split(path)
  local segments, count = {}, 0
  for segment in string.gmatch(sub(path, 2), "([^/]*)/?") do
    count = count + 1
    segments[count] = segment
  end
  while count > 0 and segments[count] == "" do
    segments[count] = nil
    count = count - 1
  end
  return segments, count
end

local function matches(route, segments, count)
  local wanted = route.segments
  if not route.open and #wanted ~= count or #wanted > count then
    return false
  end
  for i = 1, #wanted do
    if wanted[i] ~= "*" and wanted[i] ~= segments[i] then
      return false
    end
  end
  return true
end

-- The binding that the transcoder would choose. It takes a custom verb for one more segment, so that ":set" and "/set"
-- are the same to it, and it forgives slashes at the end.
function route_of(verb, path)
  local routes = ROUTES[verb]
  if not routes then
    return nil
  end
  path = string.match(path, "^[^?#]*")
  local head, custom = string.match(path, "^(.*):([^/:]*)$")
  for _, candidate in ipairs(head and { head .. "/" .. custom, path } or { path }) do
    local segments, count = split(candidate)
    for _, route in ipairs(routes) do
      if matches(route, segments, count) then
        return route
      end
    end
  end
  return nil
end

local function unescaped(name)
  return (gsub(name, "%%(%x%x)", function(code)
    return char(tonumber(code, 16))
  end))
end

-- The refusal of a query, or nil. To the transcoder a query parameter is as good as the path: "?base=GBP" behind
-- ".../EUR/USD:setStatus" would make it another instrument.
function judge_query(route, path)
  local query = string.match(path, "%?([^#]*)")
  if not query then
    return nil
  end
  for pair in string.gmatch(query, "[^&]+") do
    local name = unescaped(string.match(pair, "^[^=]*"))
    local problem = route.no_query and "the query takes no fields; they stand in the body"
    for _, taken in ipairs(route.taken) do
      if bare(name) == taken or sub(bare(name), 1, #taken + 1) == taken .. "." then
        problem = "the path or the body gives this field; leave it out of the query"
      end
    end
    if problem then
      -- Its bytes may be no UTF-8, which an answer in JSON has to be.
      local field = shortened((gsub(name, "[\128-\255]", "?")))
      local listed = { { field = field, description = problem } }
      return "400", status(3, "INVALID_REQUEST", field .. ": " .. problem, "{}", listed)
    end
  end
  return nil
end

-- gRPC as the transcoder understands it; everything else it reads as JSON, whatever its content type says.
function is_grpc(content_type)
  return content_type ~= nil and find(content_type, "^application/grpc$") ~= nil
    or content_type ~= nil and find(content_type, "^application/grpc[+;]") ~= nil
end

-- The mark tells the connection manager's mapping of local replies that this body is finished.
local function refuse(handle, http_status, answer)
  handle:streamInfo():dynamicMetadata():set("crossrate.json_guard", "refused", true)
  handle:respond({ [":status"] = http_status, ["content-type"] = "application/json" }, answer)
end

local function guard(handle)
  local headers = handle:headers()
  if is_grpc(headers:get("content-type")) then
    return
  end
  local route = route_of(headers:get(":method"), headers:get(":path"))
  if not route then
    return
  end
  local http_status, answer = judge_query(route, headers:get(":path"))
  if http_status then
    return refuse(handle, http_status, answer)
  end
  -- `get` of a header that is not there returns nothing, not nil: it may not stand in a call that wants a value.
  local declared = headers:get("content-length")
  local length = declared and tonumber(declared)
  if length and length > route.bytes_max then
    return refuse(handle, too_large(route, length))
  end
  local buffer = handle:body()
  local size = buffer and buffer:length() or 0
  http_status, answer = judge(route, size > 0 and buffer:getBytes(0, size) or "")
  if http_status then
    refuse(handle, http_status, answer)
  end
end

-- Envoy passes a request on when a script fails. This one refuses it: what was not read is not let through.
function envoy_on_request(handle)
  local done, fault = pcall(guard, handle)
  if not done then
    handle:logCritical("json guard: " .. tostring(fault))
    refuse(handle, "500", status(13, "INTERNAL", "the body could not be checked", "{}"))
  end
end
