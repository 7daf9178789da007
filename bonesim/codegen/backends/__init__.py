"""One module a back end; each turns a `Program` into `Kernels`."""
