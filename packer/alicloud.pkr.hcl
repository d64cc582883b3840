source "alicloud-ecs" "node" {
  region        = var.alicloud_region
  source_image  = var.alicloud_source_image
  image_family  = var.alicloud_source_family
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

  # The cloud's security agent would leave this machine's identity in the image.
  security_enhancement_strategy = "Deactive"

  image_name          = var.image_name
  image_description   = local.description
  target_image_family = var.alicloud_family
  boot_mode           = var.alicloud_boot_mode
  resource_group_id   = var.alicloud_resource_group_id
  # The names are matched with the regions by their place; a region without one gets an image without a name.
  image_copy_regions  = var.alicloud_copy_regions
  image_copy_names    = [for region in var.alicloud_copy_regions : var.image_name]
  image_share_account = var.alicloud_share_accounts
  # false would make a copy in the home region, too: one that is not encrypted, and has neither tags nor family.
  image_encrypted         = var.alicloud_encrypted ? true : null
  image_ignore_data_disks = true
  tags                    = local.tags
  run_tags                = local.tags

  # The build user and its key come with the seed, so no key pair is made in the account.
  user_data_file            = local.seed
  ssh_username              = local.build_user
  ssh_private_key_file      = local.build_key
  ssh_clear_authorized_keys = true
  ssh_timeout               = "15m"
}

variable "alicloud_region" {
  type        = string
  description = "Region in which the Alibaba Cloud image is built."
  default     = ""
  validation {
    condition     = regex_replace(var.alicloud_region, "^(|[a-z]+-[a-z0-9-]+)$", "ok") == "ok"
    error_message = "The alicloud_region looks like cn-hangzhou."
  }
}

variable "alicloud_source_image" {
  type        = string
  description = "Id of the image that the Alibaba Cloud builder starts from."
  default     = ""
  validation {
    condition     = regex_replace(var.alicloud_source_image, "\\s", "") == var.alicloud_source_image
    error_message = "The alicloud_source_image has a blank in it."
  }
}

variable "alicloud_source_family" {
  type        = string
  description = "Image family whose newest image the Alibaba Cloud builder starts from, in place of alicloud_source_image."
  default     = ""
  validation {
    condition     = regex_replace(var.alicloud_source_family, "\\s", "") == var.alicloud_source_family
    error_message = "The alicloud_source_family has a blank in it."
  }
}

variable "alicloud_instance_type" {
  type        = string
  description = "Type of the machine that builds the Alibaba Cloud image."
  default     = "ecs.c7.large"
  validation {
    condition     = regex_replace(var.alicloud_instance_type, "^ecs\\.[a-z0-9.-]+$", "ok") == "ok"
    error_message = "The alicloud_instance_type looks like ecs.c7.large."
  }
}

variable "alicloud_vpc_id" {
  type        = string
  description = "VPC of the building machine; the vSwitch and the security group are in it."
  default     = ""
  validation {
    condition     = regex_replace(var.alicloud_vpc_id, "^(|vpc-[a-z0-9]+)$", "ok") == "ok"
    error_message = "The alicloud_vpc_id begins with vpc-."
  }
}

variable "alicloud_vswitch_id" {
  type        = string
  description = "VSwitch of the building machine."
  default     = ""
  validation {
    condition     = regex_replace(var.alicloud_vswitch_id, "^(|vsw-[a-z0-9]+)$", "ok") == "ok"
    error_message = "The alicloud_vswitch_id begins with vsw-."
  }
}

variable "alicloud_security_group_id" {
  type        = string
  description = "Security group of the building machine: SSH from the machine that runs Packer is all it needs."
  default     = ""
  validation {
    condition     = regex_replace(var.alicloud_security_group_id, "^(|sg-[a-z0-9]+)$", "ok") == "ok"
    error_message = "The alicloud_security_group_id begins with sg-."
  }
}

variable "alicloud_public_ip" {
  type        = bool
  description = "Whether Packer reaches the building machine by a public address; otherwise it has none."
  default     = false
}

variable "alicloud_disk_category" {
  type        = string
  description = "Kind of the building machine's system disk."
  default     = "cloud_essd"
  validation {
    condition     = regex_replace(var.alicloud_disk_category, "^cloud(_[a-z]+)?$", "ok") == "ok"
    error_message = "The alicloud_disk_category looks like cloud_essd."
  }
}

variable "alicloud_disk_gib" {
  type        = number
  description = "Size of the Alibaba Cloud image's system disk."
  default     = 20
  validation {
    condition     = var.alicloud_disk_gib >= 20 && var.alicloud_disk_gib <= 500
    error_message = "The alicloud_disk_gib is between 20 and 500."
  }
}

variable "alicloud_family" {
  type        = string
  description = "Image family that the finished image belongs to: scaling groups that name it get its newest image."
  default     = ""
  validation {
    condition     = regex_replace(var.alicloud_family, "^(|[A-Za-z][A-Za-z0-9_.:-]{1,127})$", "ok") == "ok" && regex_replace(var.alicloud_family, "^(aliyun|acs:|http)", "") == var.alicloud_family
    error_message = "The alicloud_family has 2 to 128 letters, digits and hyphens, a letter first; aliyun, acs: and http begin others."
  }
}

variable "alicloud_boot_mode" {
  type        = string
  description = "How machines of the image boot; empty: as the source image does."
  default     = ""
  validation {
    condition     = contains(["", "BIOS", "UEFI", "UEFI-Preferred"], var.alicloud_boot_mode)
    error_message = "The alicloud_boot_mode is BIOS, UEFI or UEFI-Preferred."
  }
}

variable "alicloud_resource_group_id" {
  type        = string
  description = "Resource group of the finished image; empty: the default one."
  default     = ""
  validation {
    condition     = regex_replace(var.alicloud_resource_group_id, "^(|rg-[a-z0-9]+)$", "ok") == "ok"
    error_message = "The alicloud_resource_group_id begins with rg-."
  }
}

variable "alicloud_copy_regions" {
  type        = list(string)
  description = "Regions that the finished image is copied to."
  default     = []
  validation {
    condition     = length(var.alicloud_copy_regions) == length(distinct(var.alicloud_copy_regions))
    error_message = "The alicloud_copy_regions name a region twice."
  }
}

variable "alicloud_share_accounts" {
  type        = list(string)
  description = "Accounts that may use the finished image."
  default     = []
  validation {
    condition     = length(var.alicloud_share_accounts) <= 10 && length([for account in var.alicloud_share_accounts : account if regex_replace(account, "^[0-9]{6,20}$", "ok") != "ok"]) == 0
    error_message = "There is room for 10 alicloud_share_accounts: numbers."
  }
}

variable "alicloud_encrypted" {
  type        = bool
  description = "Whether the finished image is encrypted; it is a copy then, and has neither tags nor family."
  default     = false
}
