packer {
  required_plugins {
    alicloud = {
      source  = "github.com/hashicorp/alicloud"
      version = "= 1.1.2"
    }
    qemu = {
      source  = "github.com/hashicorp/qemu"
      version = ">= 1.1.4, < 2.0.0"
    }
  }
}
