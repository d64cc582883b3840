locals {
  # A filter stands in where no image is named.
  amazon_filters = [for name in compact([var.amazon_source_name]) : name if var.amazon_source_ami == ""]
}

source "amazon-ebs" "node" {
  region        = var.amazon_region
  source_ami    = var.amazon_source_ami
  instance_type = var.amazon_instance_type
  # Taking the first of none fails. Left empty, the builder takes the default VPC, and opens a security group of its own.
  subnet_id          = element(compact([var.amazon_subnet_id]), 0)
  security_group_ids = [element(compact([var.amazon_security_group_id]), 0)]

  dynamic "source_ami_filter" {
    for_each = local.amazon_filters
    content {
      filters = {
        name                = source_ami_filter.value
        architecture        = var.architecture == "arm64" ? "arm64" : "x86_64"
        root-device-type    = "ebs"
        virtualization-type = "hvm"
      }
      owners      = [var.amazon_source_owner]
      most_recent = true
    }
  }

  associate_public_ip_address = var.amazon_public_ip
  ssh_interface               = var.amazon_session_manager ? "session_manager" : var.amazon_public_ip ? "public_ip" : "private_ip"
  iam_instance_profile        = var.amazon_instance_profile
  shutdown_behavior           = "terminate"
  ebs_optimized               = true

  # The metadata service answers nobody without a token: on the building machine, and on every machine of the image.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  imds_support = "v2.0"

  launch_block_device_mappings {
    device_name           = var.amazon_root_device
    volume_type           = "gp3"
    volume_size           = var.amazon_disk_gib
    iops                  = 3000
    throughput            = 125
    delete_on_termination = true
    encrypted             = var.amazon_encrypted
    kms_key_id            = var.amazon_encrypted ? var.amazon_kms_key : ""
  }

  ami_name        = var.image_name
  ami_description = local.description
  # Without a value the source's own encryption is kept.
  encrypt_boot       = var.amazon_encrypted ? true : null
  kms_key_id         = var.amazon_kms_key
  ami_regions        = var.amazon_copy_regions
  region_kms_key_ids = var.amazon_copy_kms_keys
  ami_users          = var.amazon_share_accounts
  snapshot_users     = var.amazon_share_accounts
  ami_org_arns       = var.amazon_share_organizations
  # Nobody but those accounts: `all` would make the image public.
  ami_groups = []

  tags            = local.tags
  snapshot_tags   = local.tags
  run_tags        = merge(local.tags, { Name = "imagegen-build-${var.image_name}" })
  run_volume_tags = local.tags

  # The build user and its key come with the seed, so no key pair is made in the account.
  user_data_file            = local.seed
  ssh_username              = local.build_user
  ssh_private_key_file      = local.build_key
  ssh_clear_authorized_keys = true
  ssh_timeout               = "15m"

  # Copies and encryption take longer than the 30 minutes that the builder waits.
  aws_polling {
    delay_seconds = 20
    max_attempts  = 360
  }
}

variable "amazon_region" {
  type        = string
  description = "Region in which the AMI is built."
  default     = ""
  validation {
    condition     = regex_replace(var.amazon_region, "^(|[a-z]+(-[a-z0-9]+)+)$", "ok") == "ok"
    error_message = "The amazon_region looks like eu-central-1."
  }
}

variable "amazon_source_ami" {
  type        = string
  description = "Id of the AMI that the builder starts from; empty: the newest that fits amazon_source_name."
  default     = ""
  validation {
    condition     = regex_replace(var.amazon_source_ami, "^(|ami-[0-9a-f]+)$", "ok") == "ok"
    error_message = "The amazon_source_ami begins with ami-."
  }
}

variable "amazon_source_name" {
  type        = string
  description = "Name of the AMI that the builder starts from, with * for what changes: its newest is taken."
  default     = ""
  validation {
    condition     = length(var.amazon_source_name) <= 128
    error_message = "The amazon_source_name has 128 characters or fewer."
  }
}

variable "amazon_source_owner" {
  type        = string
  description = "Account that owns that AMI, by its number, or amazon: a name alone can be anybody's."
  default     = ""
  validation {
    condition     = regex_replace(var.amazon_source_owner, "^(|[0-9]{12}|amazon|aws-marketplace|self)$", "ok") == "ok"
    error_message = "The amazon_source_owner is the 12 digits of an account, amazon, aws-marketplace or self."
  }
}

variable "amazon_instance_type" {
  type        = string
  description = "Type of the building machine."
  default     = "m6i.large"
  validation {
    condition     = regex_replace(var.amazon_instance_type, "^[a-z0-9-]+\\.[a-z0-9-]+$", "ok") == "ok"
    error_message = "The amazon_instance_type looks like m6i.large."
  }
}

variable "amazon_subnet_id" {
  type        = string
  description = "Subnet of the building machine."
  default     = ""
  validation {
    condition     = regex_replace(var.amazon_subnet_id, "^(|subnet-[0-9a-f]+)$", "ok") == "ok"
    error_message = "The amazon_subnet_id begins with subnet-."
  }
}

variable "amazon_security_group_id" {
  type        = string
  description = "Security group of the building machine: SSH from the machine that runs Packer is all it needs."
  default     = ""
  validation {
    condition     = regex_replace(var.amazon_security_group_id, "^(|sg-[0-9a-f]+)$", "ok") == "ok"
    error_message = "The amazon_security_group_id begins with sg-."
  }
}

variable "amazon_public_ip" {
  type        = bool
  description = "Whether Packer reaches the building machine by a public address; otherwise it has none."
  default     = false
}

variable "amazon_session_manager" {
  type        = bool
  description = "Whether Packer reaches the building machine through AWS' session manager, with no port open."
  default     = false
}

variable "amazon_instance_profile" {
  type        = string
  description = "Instance profile of the building machine; the session manager needs one."
  default     = ""
  validation {
    condition     = regex_replace(var.amazon_instance_profile, "^[A-Za-z0-9+=,.@_-]{0,128}$", "ok") == "ok"
    error_message = "The amazon_instance_profile is the name of one."
  }
}

variable "amazon_root_device" {
  type        = string
  description = "Root device of the source AMI: /dev/xvda (Debian, Amazon Linux) or /dev/sda1 (Ubuntu, Rocky)."
  default     = "/dev/xvda"
  validation {
    condition     = regex_replace(var.amazon_root_device, "^/dev/[a-z0-9]+$", "ok") == "ok"
    error_message = "The amazon_root_device looks like /dev/xvda."
  }
}

variable "amazon_disk_gib" {
  type        = number
  description = "Size of the AMI's root disk."
  default     = 20
  validation {
    condition     = var.amazon_disk_gib >= 8 && var.amazon_disk_gib <= 16384
    error_message = "The amazon_disk_gib is between 8 and 16384."
  }
}

variable "amazon_encrypted" {
  type        = bool
  description = "Whether the AMI and the building machine's disk are encrypted."
  default     = true
}

variable "amazon_kms_key" {
  type        = string
  description = "KMS key that encrypts them in the home region; empty: the account's own for EBS, whose AMIs cannot be shared."
  default     = ""
  validation {
    condition     = regex_replace(var.amazon_kms_key, "\\s", "") == var.amazon_kms_key
    error_message = "The amazon_kms_key has a blank in it."
  }
}

variable "amazon_copy_regions" {
  type        = list(string)
  description = "Regions that the finished AMI is copied to."
  default     = []
  validation {
    condition     = length(var.amazon_copy_regions) == length(distinct(var.amazon_copy_regions))
    error_message = "The amazon_copy_regions name a region twice."
  }
}

variable "amazon_copy_kms_keys" {
  type        = map(string)
  description = "KMS key of each of these regions; none: every region's own for EBS."
  default     = {}
  validation {
    condition     = length([for key in values(var.amazon_copy_kms_keys) : key if key == ""]) == 0
    error_message = "The amazon_copy_kms_keys name a key for every region."
  }
}

variable "amazon_share_accounts" {
  type        = list(string)
  description = "Accounts that may start machines of the AMI and copy it."
  default     = []
  validation {
    condition     = length([for account in var.amazon_share_accounts : account if regex_replace(account, "^[0-9]{12}$", "ok") != "ok"]) == 0
    error_message = "The amazon_share_accounts have 12 digits each."
  }
}

variable "amazon_share_organizations" {
  type        = list(string)
  description = "Organizations, by ARN, whose accounts may start machines of the AMI."
  default     = []
  validation {
    condition     = length([for arn in var.amazon_share_organizations : arn if regex_replace(arn, "^arn:aws[a-z-]*:organizations::[0-9]{12}:organization/o-[a-z0-9]+$", "ok") != "ok"]) == 0
    error_message = "The amazon_share_organizations are ARNs of organizations."
  }
}
