# For Packer 1.7 and newer, which fetches its builders: `packer init plugins`, once. Apart from the templates, since Packer 1.6, which
# brings them along, does not know this block.
packer {
  required_plugins {
    qemu = {
      version = ">= 1.1.0"
      source  = "github.com/hashicorp/qemu"
    }
    ansible = {
      version = ">= 1.1.0"
      source  = "github.com/hashicorp/ansible"
    }
  }
}
