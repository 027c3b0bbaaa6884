"""One file a check. A check has ID, TITLE, LAYER or SUITE, `gather(look) -> raw` and a pure `judge(raw, profile) -> Result`."""

import importlib
import re
from types import ModuleType

LAYER_CHECKS: dict[int, list[str]] = {
    0: ["l0_ansible"],
    1: [
        "l1_packages",
        "l1_admin_user",
        "l1_admin_groups",
        "l1_sudo_password",
        "l1_docker_answers",
        "l1_docker_enabled",
        "l1_docker_container",
        "l1_python",
        "l1_updates_security",
        "l1_updates_others",
        "l1_updates_reboot",
        "l1_apt_timers",
        "l1_fail2ban_jail",
        "l1_fail2ban_limits",
        "l1_ufw_active",
        "l1_ufw_defaults",
        "l1_ufw_ssh",
        "l1_ufw_nothing_else",
        "l1_ufw_boot",
        "l1_docker_user",
        "l1_sshd_permitrootlogin",
        "l1_sshd_passwordauthentication",
        "l1_sshd_kbdinteractiveauthentication",
        "l1_sshd_pubkeyauthentication",
        "l1_sshd_allowusers",
        "l1_sshd_port",
        "l1_sshd_dropin",
        "l1_sshd_running",
        "l1_ssh_socket",
        "l1_listening",
        "l1_root_password",
        "l1_root_login",
    ],
    2: [
        "l2_nvidia_smi",
        "l2_gpu_count",
        "l2_driver_floor",
        "l2_driver_versions",
        "l2_module_loaded",
        "l2_module_open",
        "l2_dkms",
        "l2_headers",
        "l2_nouveau",
        "l2_module_options",
        "l2_initramfs",
        "l2_secure_boot",
        "l2_persistenced",
        "l2_cuda",
        "l2_cudnn",
        "l2_nccl",
        "l2_held",
        "l2_unattended",
        "l2_reboot",
    ],
    3: [
        "l3_toolkit",
        "l3_daemon_json",
        "l3_default_runtime",
        "l3_container_gpus",
        "l3_containerd",
    ],
    4: [
        "l4_torch_environment",
        "l4_tensorflow_environment",
        "l4_vllm_environment",
        "l4_torch_import",
        "l4_tensorflow_import",
        "l4_vllm_import",
        "l4_torch_version",
        "l4_tensorflow_version",
        "l4_vllm_version",
        "l4_nccl",
        "l4_torch_gpus",
        "l4_tensorflow_gpus",
        "l4_vllm_gpus",
        "l4_disk",
    ],
    5: ["l5_tools", "l5_commands", "l5_profile", "l5_monitor", "l5_demos"],
    6: [
        "l6_auditd",
        "l6_audit_rules",
        "l6_apparmor",
        "l6_aide_database",
        "l6_aide_daily",
        "l6_openscap",
        "l6_grafana",
        "l6_forwarding",
    ],
}
SUITES: dict[str, list[str]] = {
    "gpu-detection": [
        "gpu_answers",
        "gpu_count",
        "gpu_on_bus",
        "gpu_recovery",
        "gpu_name",
        "gpu_memory",
        "gpu_driver_floor",
        "gpu_driver_same",
        "gpu_vbios_same",
        "gpu_bar1",
        "gpu_pcie_max",
        "gpu_pcie_link",
        "gpu_pcie_replay",
        "gpu_aer",
        "gpu_iommu",
        "gpu_acs",
        "gpu_idle_temperature",
        "gpu_fans",
        "gpu_power_limit",
        "gpu_throttle",
        "gpu_persistence",
        "gpu_compute_mode",
        "gpu_ecc",
        "gpu_row_remap",
        "gpu_xid",
        "gpu_driver_log",
        "gpu_hmm",
        "nvme_smart",
    ],
    # T2 to T7: docs/adr/0015-load-suites.md.
    "pytorch-ddp": [
        "t2_initialize",
        "t2_ranks",
        "t2_loss",
        "t2_images",
        "t2_efficiency",
        "t2_utilization",
        "t2_allreduce",
        "t2_telemetry",
        "t2_power",
        "t2_throttle",
        "t2_temperature",
        "t2_link",
    ],
    "tensorflow": ["t3_devices", "t3_operations", "t3_memory"],
    "vllm": ["t4_loads", "t4_throughput", "t4_memory", "t4_output"],
    "docker-gpu": ["t5_all", "t5_pinned", "t5_shared"],
    "performance": [
        "t6_scaling",
        "t6_vllm",
        "t6_arch",
        "t6_gemm",
        "t6_memory",
        "t6_host_to_device",
        "t6_device_to_host",
        "t6_peer",
        "t6_allreduce",
        "t6_vram",
    ],
    "stress": [
        "t7_length",
        "t7_results",
        "t7_xid",
        "t7_steady",
        "t7_telemetry",
        "t7_throttle",
        "t7_temperature",
        "t7_power",
        "t7_link",
    ],
    # T9. Checks of layers are among them where they look at a service that a role manages.
    "roles": [
        "t9_role_base_system",
        "t9_role_access_hardening",
        "t9_role_driver_stack",
        "t9_role_gpu_runtime",
        "t9_role_ai_frameworks",
        "t9_role_monitoring",
        "t9_role_extended_hardening",
        "t9_role_ssh_forwarding",
        "t9_units",
        "t9_packages",
        "l1_apt_timers",
        "l1_sshd_running",
        "l1_ssh_socket",
        "t9_sshd_config",
        "t9_sudoers",
        "l1_ufw_active",
        "l1_ufw_boot",
        "t9_firewall_rules",
        "l1_fail2ban_jail",
        "t9_fail2ban_config",
        "l1_docker_answers",
        "l1_docker_enabled",
        "t9_docker_config",
        "l2_persistenced",
        "l3_containerd",
        "t9_containerd_service",
        "l3_default_runtime",
        "l5_commands",
        "l5_monitor",
        "l6_auditd",
    ],
    # T8, named in docs/validation.md.
    "integration": [
        "t8_key_login",
        "t8_firewall",
        "t8_ban",
        "t8_reboot",
        "t8_container",
        "t8_gpu_after_reboot",
        "t8_frameworks",
        "t8_monitoring",
        "t8_second_run",
        "t8_kernel",
    ],
}
NAME = re.compile(r"^[a-z0-9_]+$")
LAYER = re.compile(r"^(?:layer-|l)(\d)$")


def listed(suite: object) -> list[str]:
    """The checks of a suite ("gpu-detection") or of a layer ("l1", "layer-1"); empty for an unknown name."""
    if not isinstance(suite, str):
        return []
    layer = LAYER.match(suite)
    return LAYER_CHECKS.get(int(layer[1]), []) if layer else SUITES.get(suite, [])


def layer_of(module: ModuleType) -> int | None:
    """The layer without which a check has nothing to look at: a layer's own, or what a suite's check needs."""
    return getattr(module, "LAYER", getattr(module, "NEEDS", None))


def load(id: str) -> ModuleType | None:
    """The check's module, None when there is no such check."""
    if not NAME.match(id):
        return None
    try:
        module = importlib.import_module(f"vcbox.checks.{id}")
    except ModuleNotFoundError:
        return None
    return module if getattr(module, "ID", None) == id else None
