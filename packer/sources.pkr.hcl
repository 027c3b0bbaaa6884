# Machines: UEFI, one virtio disk, one network card. -drive, -device and -machine are given in full, since naming one of them replaces
# all that the builder would add of its kind.

locals {
  # The firmware's variables are thrown away: what boots is found by its place on the EFI partition, as on a flashed disk.
  firmware = [
    "if=pflash,format=raw,readonly=on,file=${var.firmware_code}",
    "if=pflash,format=raw,snapshot=on,file=${var.firmware_vars}",
  ]
  # Words for the kernel of this start alone, which systemd-boot adds to the image's own; another loader leaves them.
  kernel = "type=11,value=io.systemd.boot.kernel-cmdline-extra=${var.kernel_args}"
  # Losing power while an image is built means building it again, so no write waits for the disk.
  disk = "file={{ .OutputDir }}/{{ .Name }},if=virtio,format=qcow2,cache=unsafe,discard=unmap,detect-zeroes=unmap"
  # A site bundle is brought as a disk of its own: nothing of it is sent, unpacked or cleaned away.
  bundle = var.bundle_disk == "" ? [] : [["-drive", "file=${var.bundle_disk},if=virtio,format=raw,readonly=on"]]
}

# An existing disk image. Works without any network.
source "qemu" "disk" {
  iso_url          = var.base_image
  iso_checksum     = var.base_checksum
  disk_image       = true
  disk_size        = var.disk_size
  format           = "qcow2"
  disk_compression = false
  skip_compaction  = true
  vm_name          = "disk.qcow2"
  output_directory = var.out_dir

  memory      = var.memory
  cpus        = var.cpus
  accelerator = "none"
  headless    = true
  qemuargs = concat([
    # No graphics, disks of other kinds, parallel port: firmware and kernel would set each up.
    ["-nodefaults"],
    ["-machine", "q35,smm=off"],
    ["-accel", var.accel],
    ["-cpu", var.cpu_model],
    ["-display", "none"],
    ["-drive", local.firmware[0]],
    ["-drive", local.firmware[1]],
    ["-drive", local.disk],
    ["-device", "virtio-net-pci,netdev=user.0,romfile="],
    ["-device", "virtio-rng-pci"],
    # cloud-init asks the builder's own web server for its settings.
    ["-smbios", "type=1,serial=ds=nocloud;s=http://10.0.2.2:{{ .HTTPPort }}/"],
    ["-smbios", local.kernel],
    ["-serial", "file:${var.results}/console.log"],
    ["-pidfile", "${var.results}/qemu.pid"],
  ], local.bundle)

  http_directory            = "${var.prepared}/http"
  boot_wait                 = "1s"
  disable_vnc               = true
  communicator              = "ssh"
  ssh_username              = "vaultadmin"
  ssh_private_key_file      = "${var.prepared}/build_key"
  ssh_timeout               = var.ssh_timeout
  ssh_handshake_attempts    = 1000
  ssh_clear_authorized_keys = false
  shutdown_command          = "echo '${var.build_password}' | sudo -S -p '' systemctl poweroff"
  shutdown_timeout          = "15m"
}

# Ubuntu's installer. Never run: see README.md.
source "qemu" "iso" {
  iso_url          = var.iso_url
  iso_checksum     = var.iso_checksum
  disk_size        = var.disk_size
  format           = "qcow2"
  disk_compression = false
  skip_compaction  = true
  vm_name          = "disk.qcow2"
  output_directory = var.out_dir

  memory      = var.memory
  cpus        = var.cpus
  accelerator = "none"
  headless    = true
  qemuargs = [
    ["-machine", "q35,smm=off"],
    ["-accel", var.accel],
    ["-cpu", var.cpu_model],
    ["-display", "none"],
    ["-drive", local.firmware[0]],
    ["-drive", local.firmware[1]],
    ["-drive", local.disk],
    ["-drive", "file=${var.iso_url},media=cdrom,readonly=on"],
    ["-device", "virtio-net-pci,netdev=user.0,romfile="],
    ["-device", "virtio-rng-pci"],
    ["-serial", "file:${var.results}/console.log"],
    ["-pidfile", "${var.results}/qemu.pid"],
  ]

  http_directory = "${var.prepared}/http"
  boot_wait      = "10s"
  # GRUB's command line: the installer asks nobody, and is told where its answers are.
  boot_command = [
    "c<wait2>",
    "linux /casper/vmlinuz autoinstall 'ds=nocloud;s=http://{{ .HTTPIP }}:{{ .HTTPPort }}/autoinstall/' console=ttyS0<enter><wait2>",
    "initrd /casper/initrd<enter><wait2>",
    "boot<enter>",
  ]
  communicator              = "ssh"
  ssh_username              = "vaultadmin"
  ssh_private_key_file      = "${var.prepared}/build_key"
  ssh_timeout               = "90m"
  ssh_handshake_attempts    = 10000
  ssh_clear_authorized_keys = false
  shutdown_command          = "echo '${var.build_password}' | sudo -S -p '' systemctl poweroff"
  shutdown_timeout          = "15m"
}
