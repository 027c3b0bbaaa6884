# An existing disk image, without KVM: packer build -only=base.qemu.disk -var-file=examples/disk.pkrvars.hcl .
base_image     = "/srv/images/debian-13.qcow2"
base_checksum  = "none"
out_dir        = "/srv/images/build/base"
results        = "/srv/images/build"
prepared       = "/srv/images/build/prepared"
build_password = "as in /srv/images/build/prepared/password"
disk_size      = "6G"
memory         = 1536
cpus           = 2
accel          = "tcg,thread=multi,tb-size=512"
