packer {
  required_plugins {
    vsphere = {
      source  = "github.com/hashicorp/vsphere"
      version = ">= 2.0.0, < 3.0.0"
    }
  }
}
