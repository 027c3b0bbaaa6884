"""What Python runs first where this folder is on PYTHONPATH: Ansible's modules find their common code compiled.

Ansible sends with each task an archive of sources, which Python compiles anew every time: a quarter of a playbook's time. On the box
itself the same sources lie installed and compiled beside ansible-playbook, so a module's process takes `ansible.module_utils` from
there, and all else from its archive as ever. Where that does not work the archive alone is used. `vcbox/playbook.py` sets both
variables; they are taken away here, so that what a module starts (apt, pip, a service) does not inherit them.
"""

import os
import sys
from importlib import import_module

# ansible-playbook's own process has them, too, and hands them on.
if sys.prefix == sys.base_prefix and "VAULT_CUBE_ANSIBLE" in os.environ:
    os.environ.pop("PYTHONPATH", None)
    installed = os.environ.pop("VAULT_CUBE_ANSIBLE")
    sys.path = [entry for entry in sys.path if entry != os.path.dirname(__file__)]
    sys.path.append(installed)
    try:
        import_module("ansible.module_utils._internal._ansiballz._loader")
    except Exception:  # noqa: BLE001  # whatever it is, the archive has the same code
        for name in [name for name in sys.modules if name.split(".")[0] == "ansible"]:
            del sys.modules[name]
    finally:
        sys.path.remove(installed)
        # Modules are the archive's: some of them are our roles' own.
        for name in ("ansible", "ansible.modules"):
            sys.modules.pop(name, None)
