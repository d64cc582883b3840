packer {
  required_plugins {
    # The last release. What follows it starts the machine before its key is there.
    alicloud = {
      source  = "github.com/hashicorp/alicloud"
      version = "= 1.1.2"
    }
  }
}
