/* The floor of tests/bench/kernel.py for a call of one option: the same kernel function through Python's own C API, with
   the pointers of its arrays taken beforehand, as the binding's Batch has them. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>

typedef int64_t (*vanilla)(int64_t, const int8_t *, const double *, const double *, const double *, const double *,
                           const double *, const double *, double *, uint8_t *);

static vanilla function;
static void *arrays[8];

static PyObject *hold(PyObject *self, PyObject *args) {
  Py_ssize_t address, each[8];
  (void)self;
  if (!PyArg_ParseTuple(args, "nnnnnnnnn", &address, &each[0], &each[1], &each[2], &each[3], &each[4], &each[5],
                        &each[6], &each[7]))
    return NULL;
  function = (vanilla)address;
  for (int i = 0; i < 8; i++) arrays[i] = (void *)each[i];
  Py_RETURN_NONE;
}

static PyObject *price(PyObject *self, PyObject *arg) {
  int64_t fault;
  const int64_t count = PyLong_AsLongLong(arg);
  (void)self;
  if (count == -1 && PyErr_Occurred()) return NULL;
  Py_BEGIN_ALLOW_THREADS fault = function(count, arrays[0], arrays[1], arrays[2], arrays[3], arrays[4], arrays[5],
                                          arrays[6], arrays[7], NULL);
  Py_END_ALLOW_THREADS return PyLong_FromLongLong(fault);
}

static PyMethodDef methods[] = {{"hold", hold, METH_VARARGS, "Takes the function's and the arrays' addresses."},
                                {"price", price, METH_O, "Prices the first so many options; the fault."},
                                {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "capi_call", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_capi_call(void) { return PyModule_Create(&module); }
