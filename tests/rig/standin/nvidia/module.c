/* What modinfo reads of a module, and nothing that runs. */
static const char info[] __attribute__((section(".modinfo"), used)) =
    "license=Dual MIT/GPL\0version=@VERSION@\0description=stand-in for NVIDIA's open kernel module";
