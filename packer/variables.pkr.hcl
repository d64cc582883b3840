# Packer 1.6.6 has no regex(): a pattern that fits is replaced by ok.
# What the plan knows comes from <image>.auto.pkrvars.json; the variables of the last section are for whoever runs Packer.

variable "image_name" {
  type        = string
  description = "Name of the image: the disk's file name, the image's name in a cloud."
  validation {
    condition     = regex_replace(var.image_name, "^[A-Za-z][A-Za-z0-9._-]{1,127}$", "ok") == "ok"
    error_message = "The image_name needs 2 to 128 letters, digits, dots, underscores and hyphens, a letter first."
  }
}

variable "image_fingerprint" {
  type        = string
  description = "SHA-256 over everything that decides what is in the image."
  validation {
    condition     = regex_replace(var.image_fingerprint, "^[0-9a-f]{64}$", "ok") == "ok"
    error_message = "The image_fingerprint is 64 hexadecimal digits, in lower case."
  }
}

variable "image_contents" {
  type        = map(string)
  description = "What the fingerprint is made of, by name: Packer's manifest keeps it, to say later why an image is stale."
  default     = {}
  validation {
    condition     = contains(keys(var.image_contents), "fingerprint") == false
    error_message = "The image_contents cannot hold a fingerprint."
  }
}

variable "kubernetes_version" {
  type        = string
  description = "Version of Kubernetes in the image, without a v."
  validation {
    condition     = regex_replace(var.kubernetes_version, "^1\\.[0-9]+\\.[0-9]+$", "ok") == "ok"
    error_message = "The kubernetes_version looks like 1.37.2."
  }
}

variable "os" {
  type        = string
  description = "Name of the operating system and its release, for tags."
  validation {
    condition     = regex_replace(var.os, "^[a-z][a-z0-9.-]+$", "ok") == "ok"
    error_message = "The os looks like debian-12."
  }
}

variable "architecture" {
  type        = string
  description = "Architecture of the image."
  default     = "amd64"
  validation {
    condition     = contains(["amd64", "arm64"], var.architecture)
    error_message = "The architecture is amd64 or arm64."
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags of the image and of the machine that builds it, beside those that name the image."
  default     = {}
  validation {
    condition     = length(var.tags) <= 16
    error_message = "There is room for 16 tags."
  }
}

variable "qemu_base_url" {
  type        = string
  description = "Cloud image that the qemu builder starts from: a URL or a path."
  default     = ""
  validation {
    condition     = regex_replace(var.qemu_base_url, "\\s", "") == var.qemu_base_url
    error_message = "The qemu_base_url has a blank in it."
  }
}

variable "qemu_base_checksum" {
  type        = string
  description = "Checksum of that image."
  default     = ""
  validation {
    condition     = regex_replace(var.qemu_base_checksum, "^(|sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}|file:[^[:space:]]+)$", "ok") == "ok"
    error_message = "The qemu_base_checksum is sha256: or sha512: and the hexadecimal digits, or file: and where they stand."
  }
}

variable "qemu_outbound" {
  type        = bool
  description = "Whether the machine that builds the qemu image has a way out; nobody has one into it but SSH on this machine."
  default     = false
}

variable "qemu_disk_gib" {
  type        = number
  description = "Size of the qemu image's disk; machines grow it to what they have."
  default     = 10
  validation {
    condition     = var.qemu_disk_gib >= 8 && var.qemu_disk_gib <= 2048
    error_message = "The qemu_disk_gib is between 8 and 2048."
  }
}

variable "qemu_memory_mib" {
  type        = number
  description = "Memory of the machine that builds the qemu image."
  default     = 2048
  validation {
    condition     = var.qemu_memory_mib >= 512
    error_message = "The qemu_memory_mib is 512 or more."
  }
}

variable "qemu_cpus" {
  type        = number
  description = "Processors of the machine that builds the qemu image."
  default     = 2
  validation {
    condition     = var.qemu_cpus >= 1
    error_message = "The qemu_cpus is 1 or more."
  }
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
    condition     = length(var.alicloud_share_accounts) <= 10
    error_message = "There is room for 10 alicloud_share_accounts."
  }
}

variable "alicloud_encrypted" {
  type        = bool
  description = "Whether the finished image is encrypted."
  default     = false
}

# Whoever runs Packer.

variable "bundle_dir" {
  type        = string
  description = "Folder of the offline bundle, for an image that is made of one; empty for the others."
  default     = ""
  validation {
    condition     = regex_replace(var.bundle_dir, "/+$", "") == var.bundle_dir
    error_message = "The bundle_dir names a folder, without a slash at its end."
  }
}

variable "mirrors" {
  type        = list(string)
  description = "What is asked in place of addresses, by how they begin: OLD=NEW. They come before those of the spec's profile."
  default     = []
  validation {
    condition     = length([for pair in var.mirrors : pair if regex_replace(pair, "^[^=[:space:]]+=[^[:space:]]+$", "ok") != "ok"]) == 0
    error_message = "Each of the mirrors is OLD=NEW, without blanks."
  }
}

variable "output_dir" {
  type        = string
  description = "Folder that the qemu builder makes for its disk; it must not be there yet."
  default     = "output"
  validation {
    condition     = length(var.output_dir) > 0
    error_message = "The output_dir is empty."
  }
}

variable "qemu_accelerator" {
  type        = string
  description = "How QEMU runs the building machine: tcg needs no hardware support and is ten times slower."
  default     = "kvm"
  validation {
    condition     = contains(["kvm", "hvf", "tcg", "none"], var.qemu_accelerator)
    error_message = "The qemu_accelerator is kvm, hvf, tcg or none."
  }
}

variable "qemu_compress" {
  type        = bool
  description = "Whether the finished disk is compressed."
  default     = true
}
