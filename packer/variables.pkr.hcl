# What a build is told. examples/ has a file of them for each source; prepare.sh writes those of one build.

# The disk image that is started from, qcow2 or raw, with cloud-init in it. Of the source "disk".
variable "base_image" {
  type    = string
  default = ""
}

# "sha256:HEX" of base_image; "none" trusts it.
variable "base_checksum" {
  type    = string
  default = "none"
}

# Ubuntu Server's installer, an address or a path. Of the source "iso".
variable "iso_url" {
  type    = string
  default = "https://releases.ubuntu.com/24.04/ubuntu-24.04.3-live-server-amd64.iso"
}

# "sha256:HEX", or "file:ADDRESS" of the publisher's SHA256SUMS. It names the copy in the cache, too.
variable "iso_checksum" {
  type    = string
  default = "file:https://releases.ubuntu.com/24.04/SHA256SUMS"
}

# A folder that is not there yet: the disk comes into it as disk.qcow2.
variable "out_dir" {
  type = string
}

# Size of the disk. The box's own is larger; the first boot grows the root file system to it.
variable "disk_size" {
  type    = string
  default = "46G"
}

variable "memory" {
  type    = number
  default = 4096
}

variable "cpus" {
  type    = number
  default = 4
}

# What QEMU's -accel is given: "kvm", or "tcg,thread=multi,tb-size=512" for software emulation, some ten times slower.
variable "accel" {
  type    = string
  default = "kvm"
}

# QEMU's -cpu. "host" goes with kvm alone; in software what a richer processor can do costs more than it brings, and one that could run
# guests of its own has the kernel load KVM.
variable "cpu_model" {
  type    = string
  default = "qemu64,-svm"
}

# For the kernel while the image is built, where systemd-boot starts it. Nobody attacks this machine, and what guards against it costs
# most in software, where code at another address is translated anew. Of a machine that cloud-init has set up already,
# "cloud-init=disabled" saves its share of each start.
variable "kernel_args" {
  type    = string
  default = "mitigations=off norandmaps tsc=reliable"
}

# The machine has UEFI, as the box has.
variable "firmware_code" {
  type    = string
  default = "/usr/share/OVMF/OVMF_CODE_4M.fd"
}

variable "firmware_vars" {
  type    = string
  default = "/usr/share/OVMF/OVMF_VARS_4M.fd"
}

# Minutes of patience; software emulation needs more.
variable "ssh_timeout" {
  type    = string
  default = "20m"
}

# The folder that prepare.sh made: build_key, box.tar, http/ with user-data and meta-data.
variable "prepared" {
  type = string
}

# Of vaultadmin while the image is built; clean.sh takes it out. prepare.sh makes one up.
variable "build_password" {
  type      = string
  sensitive = true
}

# Of the build "provision".
variable "ansible_command" {
  type    = string
  default = "ansible-playbook"
}

# The folder ansible_mitogen of the package mitogen, beside this ansible-playbook. Empty: Ansible's own way, a start of Python for each
# task, which in software takes a second of the processor and more.
variable "mitogen" {
  type    = string
  default = ""
}

# The folder of the Ansible project.
variable "ansible_dir" {
  type    = string
  default = "../ansible"
}

# "site.yml" behind "bundle.yml" where there is a site bundle: one of play-site.yml, play-bundle.yml.
variable "play" {
  type    = string
  default = "play-site.yml"
}

# Which layers, as Ansible's tags.
variable "tags" {
  type    = string
  default = "l1,l2,l3,l4,l5,hardening"
}

# A file system labelled VC-BUNDLE with the site bundle in it, as a file: `mke2fs -t ext4 -L VC-BUNDLE -d BUNDLE FILE SIZE`. Without it
# play-bundle.yml sends the bundle by SSH.
variable "bundle_disk" {
  type    = string
  default = ""
}

# More variables of the roles: a file, YAML or JSON.
variable "vars_file" {
  type    = string
  default = "examples/roles.json"
}

# Which checks are run in the machine: a file, see scripts/checks.py. What they found comes into the folder `results`.
variable "checks_file" {
  type    = string
  default = "examples/checks.json"
}

variable "results" {
  type    = string
  default = "."
}
