# Builds that follow each other, each from the disk of the one before: -only=base.qemu.disk, then provision and test. What `test` and
# `look` leave behind is what they found; their disk is thrown away.

locals {
  # The roles as everywhere, by one Python that stays in the machine instead of one a task.
  strategy = var.mitogen == "" ? [] : ["ANSIBLE_STRATEGY=mitogen_linear", "ANSIBLE_STRATEGY_PLUGINS=${var.mitogen}/plugins/strategy"]
  ansible  = concat(["ANSIBLE_CONFIG=${var.ansible_dir}/ansible.cfg", "ANSIBLE_HOST_KEY_CHECKING=False", "ANSIBLE_NOCOLOR=1", "VAULT_CUBE_ANSIBLE=${var.ansible_dir}", "ANSIBLE_CALLBACKS_ENABLED=ansible.posix.profile_tasks"], local.strategy)
  # Without mitogen nobody reads the last.
  roles = ["--tags", var.tags, "-e", "@${var.vars_file}", "-e", "@${var.prepared}/secret.json", "-e", "mitogen_ssh_compression=false"]
}

# A system that answers: the same whether it was installed or brought.
build {
  name    = "base"
  sources = ["source.qemu.disk", "source.qemu.iso"]

  provisioner "shell" {
    script          = "scripts/base.sh"
    execute_command = "echo '${var.build_password}' | sudo -S -p '' env {{ .Vars }} sh '{{ .Path }}'"
  }
}

build {
  name    = "provision"
  sources = ["source.qemu.disk"]

  provisioner "shell" {
    script          = "scripts/layers.sh"
    execute_command = "echo '${var.build_password}' | sudo -S -p '' env {{ .Vars }} sh '{{ .Path }}'"
  }
  provisioner "ansible" {
    command           = var.ansible_command
    playbook_file     = var.play
    user              = "vaultadmin"
    use_proxy         = false
    host_alias        = "golden"
    ansible_env_vars  = local.ansible
    extra_arguments   = local.roles
  }

  provisioner "file" {
    sources     = ["${var.prepared}/box.tar", "scripts/checks.py"]
    destination = "/tmp/"
  }
  provisioner "file" {
    source      = var.checks_file
    destination = "/tmp/checks.json"
  }
  provisioner "shell" {
    script          = "scripts/checks.sh"
    execute_command = "echo '${var.build_password}' | sudo -S -p '' env {{ .Vars }} sh '{{ .Path }}'"
  }
  provisioner "file" {
    direction   = "download"
    source      = "/tmp/checks.jsonl"
    destination = "${var.results}/checks.jsonl"
  }
}

# The same machine, started anew: what it does by itself, and that the roles find nothing to change.
build {
  name    = "test"
  sources = ["source.qemu.disk"]

  provisioner "file" {
    sources     = ["${var.prepared}/box.tar", "scripts/checks.py"]
    destination = "/tmp/"
  }
  provisioner "file" {
    source      = var.checks_file
    destination = "/tmp/checks.json"
  }
  provisioner "shell" {
    script          = "scripts/checks.sh"
    execute_command = "echo '${var.build_password}' | sudo -S -p '' env {{ .Vars }} sh '{{ .Path }}'"
  }
  provisioner "file" {
    direction   = "download"
    source      = "/tmp/checks.jsonl"
    destination = "${var.results}/checks.jsonl"
  }
  provisioner "shell" {
    script          = "scripts/layers.sh"
    execute_command = "echo '${var.build_password}' | sudo -S -p '' env {{ .Vars }} sh '{{ .Path }}'"
  }
  provisioner "ansible" {
    command           = var.ansible_command
    playbook_file     = var.play
    user              = "vaultadmin"
    use_proxy         = false
    host_alias        = "golden"
    ansible_env_vars  = local.ansible
    extra_arguments   = local.roles
  }
}

# The same without running the roles once more.
build {
  name    = "look"
  sources = ["source.qemu.disk"]

  provisioner "file" {
    sources     = ["${var.prepared}/box.tar", "scripts/checks.py"]
    destination = "/tmp/"
  }
  provisioner "file" {
    source      = var.checks_file
    destination = "/tmp/checks.json"
  }
  provisioner "shell" {
    script          = "scripts/checks.sh"
    execute_command = "echo '${var.build_password}' | sudo -S -p '' env {{ .Vars }} sh '{{ .Path }}'"
  }
  provisioner "file" {
    direction   = "download"
    source      = "/tmp/checks.jsonl"
    destination = "${var.results}/checks.jsonl"
  }
}
