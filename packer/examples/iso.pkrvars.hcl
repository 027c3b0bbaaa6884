# Ubuntu 24.04 from its installer, with KVM: packer build -only=base.qemu.iso -var-file=examples/iso.pkrvars.hcl .
iso_url        = "https://releases.ubuntu.com/24.04/ubuntu-24.04.3-live-server-amd64.iso"
iso_checksum   = "file:https://releases.ubuntu.com/24.04/SHA256SUMS"
out_dir        = "/srv/images/build/base"
results        = "/srv/images/build"
prepared       = "/srv/images/build/prepared"
build_password = "as in /srv/images/build/prepared/password"
