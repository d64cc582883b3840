locals {
  build_user = "imagegen-build"
  build_key  = "${path.root}/build-key"

  # One command, for root's right to go on ends with the user it was given to.
  remove_build_user = "sudo sh -c 'userdel --force --remove ${local.build_user}; rm -f /etc/sudoers.d/90-cloud-init-users'"
  power_off         = "sudo sh -c 'userdel --force --remove ${local.build_user}; rm -f /etc/sudoers.d/90-cloud-init-users; systemctl poweroff'"

  stamps = {
    "imagegen/image"       = var.image_name
    "imagegen/fingerprint" = var.image_fingerprint
    "imagegen/kubernetes"  = var.kubernetes_version
    "imagegen/os"          = var.os
  }
}

source "qemu" "node" {
  vm_name          = "${var.image_name}.qcow2"
  output_directory = var.output_dir

  disk_image         = true
  iso_url            = var.qemu_base_url
  iso_checksum       = var.qemu_base_checksum
  format             = "qcow2"
  disk_size          = "${var.qemu_disk_gib}G"
  disk_interface     = "virtio"
  disk_cache         = "unsafe"
  disk_discard       = "unmap"
  disk_detect_zeroes = "unmap"
  disk_compression   = var.qemu_compress
  skip_compaction    = var.qemu_compress == false

  accelerator = var.qemu_accelerator
  cpus        = var.qemu_cpus
  memory      = var.qemu_memory_mib
  headless    = true
  net_device  = "virtio-net"

  # cloud-init finds its seed by the label; the bundle travels on the same disc.
  cd_label = "cidata"
  cd_files = compact(["${path.root}/seed/user-data", "${path.root}/seed/meta-data", var.bundle_dir])

  vnc_bind_address = "127.0.0.1"
  # By itself the builder forwards SSH from every address of this machine, and lets the guest out.
  qemuargs = [
    ["-netdev", "user,id=user.0,restrict=${var.qemu_outbound ? "off" : "on"},hostfwd=tcp:127.0.0.1:{{ .SSHHostPort }}-:22"],
  ]

  boot_wait                 = "1s"
  ssh_username              = local.build_user
  ssh_private_key_file      = local.build_key
  ssh_clear_authorized_keys = true
  ssh_timeout               = "15m"
  shutdown_command          = local.power_off
  shutdown_timeout          = "5m"
}

source "alicloud-ecs" "node" {
  region        = var.alicloud_region
  source_image  = var.alicloud_source_image
  instance_type = var.alicloud_instance_type
  instance_name = "imagegen-build-${var.image_name}"
  # Each of the three that is empty makes the builder create its own: a VPC in which the others are not to be found,
  # a security group that is open to the whole world. Taking the first of none fails here instead.
  vpc_id            = element(compact([var.alicloud_vpc_id]), 0)
  vswitch_id        = element(compact([var.alicloud_vswitch_id]), 0)
  security_group_id = element(compact([var.alicloud_security_group_id]), 0)

  ssh_private_ip              = var.alicloud_public_ip == false
  associate_public_ip_address = var.alicloud_public_ip
  internet_charge_type        = "PayByTraffic"
  internet_max_bandwidth_out  = var.alicloud_public_ip ? 10 : 0

  system_disk_mapping {
    disk_category = var.alicloud_disk_category
    disk_size     = var.alicloud_disk_gib
  }

  image_name              = var.image_name
  image_description       = "Kubernetes ${var.kubernetes_version} node on ${var.os}"
  image_copy_regions      = var.alicloud_copy_regions
  image_copy_names        = [for region in var.alicloud_copy_regions : var.image_name]
  image_share_account     = var.alicloud_share_accounts
  image_encrypted         = var.alicloud_encrypted
  image_ignore_data_disks = true
  tags                    = merge(var.tags, local.stamps)

  # The build user and its key come with the seed, so no key pair is made in the account.
  user_data_file            = "${path.root}/seed/user-data"
  ssh_username              = local.build_user
  ssh_private_key_file      = local.build_key
  ssh_clear_authorized_keys = true
  ssh_timeout               = "15m"
}
