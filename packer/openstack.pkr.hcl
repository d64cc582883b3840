source "openstack" "node" {
  # Credentials: OS_CLOUD and clouds.yaml, or the other OS_ variables.
  flavor            = var.openstack_flavor
  source_image      = var.openstack_source_image
  source_image_name = var.openstack_source_image_name
  availability_zone = var.openstack_availability_zone
  instance_name     = "imagegen-build-${var.image_name}"
  instance_metadata = local.dashed_tags

  # Taking the first of none fails: without a group the machine gets the project's default one.
  security_groups     = [for group in var.openstack_security_groups : element(compact([group]), 0)]
  networks            = var.openstack_networks
  floating_ip_network = var.openstack_floating_ip_network
  config_drive        = true

  image_name       = var.image_name
  image_visibility = "private"
  image_members    = var.openstack_share_projects
  image_min_disk   = var.openstack_min_disk_gib
  metadata         = local.dashed_tags

  user_data_file            = local.seed
  ssh_username              = local.build_user
  ssh_private_key_file      = local.build_key
  ssh_clear_authorized_keys = true
  ssh_timeout               = "15m"
}

variable "openstack_flavor" {
  type        = string
  description = "Flavor of the building machine; its disk is the image's."
  default     = ""
  validation {
    condition     = regex_replace(var.openstack_flavor, "\\s", "") == var.openstack_flavor
    error_message = "The openstack_flavor has a blank in it."
  }
}

variable "openstack_source_image" {
  type        = string
  description = "Id of the image that the builder starts from; empty: the one of openstack_source_image_name."
  default     = ""
  validation {
    condition     = regex_replace(var.openstack_source_image, "^[0-9a-f-]*$", "ok") == "ok"
    error_message = "The openstack_source_image is a UUID."
  }
}

variable "openstack_source_image_name" {
  type        = string
  description = "Name of the image that the builder starts from; there must be one of that name alone."
  default     = ""
  validation {
    condition     = length(var.openstack_source_image_name) <= 255
    error_message = "The openstack_source_image_name has 255 characters or fewer."
  }
}

variable "openstack_availability_zone" {
  type        = string
  description = "Availability zone of the building machine; empty: the cloud chooses."
  default     = ""
  validation {
    condition     = regex_replace(var.openstack_availability_zone, "\\s", "") == var.openstack_availability_zone
    error_message = "The openstack_availability_zone has a blank in it."
  }
}

variable "openstack_security_groups" {
  type        = list(string)
  description = "Security groups of the building machine: SSH from the machine that runs Packer is all it needs."
  default     = [""]
  validation {
    condition     = length(var.openstack_security_groups) > 0
    error_message = "The openstack_security_groups name none."
  }
}

variable "openstack_networks" {
  type        = list(string)
  description = "Networks of the building machine, by id; none: the project's only one."
  default     = []
  validation {
    condition     = length([for network in var.openstack_networks : network if regex_replace(network, "^[0-9a-f-]{32,36}$", "ok") != "ok"]) == 0
    error_message = "The openstack_networks are UUIDs."
  }
}

variable "openstack_floating_ip_network" {
  type        = string
  description = "Network that a public address of the building machine is taken from; empty: it has none."
  default     = ""
  validation {
    condition     = regex_replace(var.openstack_floating_ip_network, "\\s", "") == var.openstack_floating_ip_network
    error_message = "The openstack_floating_ip_network has a blank in it."
  }
}

variable "openstack_min_disk_gib" {
  type        = number
  description = "Smallest disk that the finished image may be started on."
  default     = 10
  validation {
    condition     = var.openstack_min_disk_gib >= 1
    error_message = "The openstack_min_disk_gib is 1 or more."
  }
}

variable "openstack_share_projects" {
  type        = list(string)
  description = "Projects, by id, that may use the finished image once they accept it."
  default     = []
  validation {
    condition     = length([for project in var.openstack_share_projects : project if regex_replace(project, "^[0-9a-f-]{32,36}$", "ok") != "ok"]) == 0
    error_message = "The openstack_share_projects are ids of projects."
  }
}
