locals {
  # No dots and slashes in names and labels here, and 63 characters at most.
  googlecompute_name = regex_replace(lower(var.image_name), "[^a-z0-9]", "-")
  googlecompute_labels = {
    for name, value in local.tags :
    regex_replace(lower(name), "[^a-z0-9_-]", "-") => substr(regex_replace(lower(value), "[^a-z0-9_-]", "-"), 0, 63)
  }
}

source "googlecompute" "node" {
  project_id              = var.googlecompute_project
  zone                    = var.googlecompute_zone
  source_image            = var.googlecompute_source_image
  source_image_family     = var.googlecompute_source_family
  source_image_project_id = compact([var.googlecompute_source_project])
  machine_type            = var.googlecompute_machine_type
  instance_name           = "imagegen-build-${substr(var.image_fingerprint, 0, 12)}"
  disk_size               = var.googlecompute_disk_gib
  disk_type               = var.googlecompute_disk_type

  # Taking the first of none fails: without a subnetwork the builder takes the default network, which lets everybody in.
  # The tags are what its firewall rules go by.
  subnetwork         = element(compact([var.googlecompute_subnetwork]), 0)
  network_project_id = var.googlecompute_network_project
  tags               = var.googlecompute_network_tags
  omit_external_ip   = var.googlecompute_public_ip == false
  use_internal_ip    = var.googlecompute_public_ip == false

  # The building machine may do nothing in the project.
  disable_default_service_account = true

  image_name              = local.googlecompute_name
  image_description       = local.description
  image_family            = var.googlecompute_family
  image_labels            = local.googlecompute_labels
  image_storage_locations = var.googlecompute_storage_locations
  labels                  = local.googlecompute_labels

  # The build user and its key come with the seed; keys of the project open nothing.
  metadata                  = { "block-project-ssh-keys" = "TRUE" }
  metadata_files            = { "user-data" = local.seed }
  ssh_username              = local.build_user
  ssh_private_key_file      = local.build_key
  ssh_clear_authorized_keys = true
  ssh_timeout               = "15m"
}

variable "googlecompute_project" {
  type        = string
  description = "Google Cloud project in which the image is built."
  default     = ""
  validation {
    condition     = regex_replace(var.googlecompute_project, "^(|[a-z][a-z0-9.:-]{4,61}[a-z0-9])$", "ok") == "ok"
    error_message = "The googlecompute_project is the id of a project."
  }
}

variable "googlecompute_zone" {
  type        = string
  description = "Zone of the building machine."
  default     = ""
  validation {
    condition     = regex_replace(var.googlecompute_zone, "^(|[a-z]+-[a-z]+[0-9]+-[a-z])$", "ok") == "ok"
    error_message = "The googlecompute_zone looks like europe-west3-a."
  }
}

variable "googlecompute_source_image" {
  type        = string
  description = "Name of the image that the builder starts from; empty: the newest of googlecompute_source_family."
  default     = ""
  validation {
    condition     = regex_replace(var.googlecompute_source_image, "^(|[a-z][a-z0-9-]{0,62})$", "ok") == "ok"
    error_message = "The googlecompute_source_image is the name of an image."
  }
}

variable "googlecompute_source_family" {
  type        = string
  description = "Family of the image that the builder starts from."
  default     = ""
  validation {
    condition     = regex_replace(var.googlecompute_source_family, "^(|[a-z][a-z0-9-]{0,62})$", "ok") == "ok"
    error_message = "The googlecompute_source_family is the name of an image family."
  }
}

variable "googlecompute_source_project" {
  type        = string
  description = "Project that the source image is in; empty: the builder looks into its list of public ones."
  default     = ""
  validation {
    condition     = regex_replace(var.googlecompute_source_project, "^(|[a-z][a-z0-9.:-]{4,61}[a-z0-9])$", "ok") == "ok"
    error_message = "The googlecompute_source_project is the id of a project."
  }
}

variable "googlecompute_machine_type" {
  type        = string
  description = "Type of the building machine."
  default     = "e2-standard-2"
  validation {
    condition     = regex_replace(var.googlecompute_machine_type, "^[a-z0-9-]+$", "ok") == "ok"
    error_message = "The googlecompute_machine_type looks like e2-standard-2."
  }
}

variable "googlecompute_subnetwork" {
  type        = string
  description = "Subnetwork of the building machine."
  default     = ""
  validation {
    condition     = regex_replace(var.googlecompute_subnetwork, "^[A-Za-z0-9/_.-]*$", "ok") == "ok"
    error_message = "The googlecompute_subnetwork is the name of a subnetwork, or its path."
  }
}

variable "googlecompute_network_project" {
  type        = string
  description = "Project that the subnetwork is in, if it is another one's."
  default     = ""
  validation {
    condition     = regex_replace(var.googlecompute_network_project, "^(|[a-z][a-z0-9.:-]{4,61}[a-z0-9])$", "ok") == "ok"
    error_message = "The googlecompute_network_project is the id of a project."
  }
}

variable "googlecompute_network_tags" {
  type        = list(string)
  description = "Network tags of the building machine, for a firewall rule that lets SSH in from where Packer runs."
  default     = []
  validation {
    condition     = length([for tag in var.googlecompute_network_tags : tag if regex_replace(tag, "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", "ok") != "ok"]) == 0
    error_message = "The googlecompute_network_tags have lower-case letters, digits and hyphens."
  }
}

variable "googlecompute_public_ip" {
  type        = bool
  description = "Whether Packer reaches the building machine by a public address; otherwise it has none."
  default     = false
}

variable "googlecompute_disk_gib" {
  type        = number
  description = "Size of the Google Cloud image's disk."
  default     = 20
  validation {
    condition     = var.googlecompute_disk_gib >= 10 && var.googlecompute_disk_gib <= 2048
    error_message = "The googlecompute_disk_gib is between 10 and 2048."
  }
}

variable "googlecompute_disk_type" {
  type        = string
  description = "Kind of the building machine's disk."
  default     = "pd-balanced"
  validation {
    condition     = regex_replace(var.googlecompute_disk_type, "^[a-z]+(-[a-z]+)+$", "ok") == "ok"
    error_message = "The googlecompute_disk_type looks like pd-balanced."
  }
}

variable "googlecompute_family" {
  type        = string
  description = "Image family that the finished image belongs to: machines that name it get its newest image."
  default     = ""
  validation {
    condition     = regex_replace(var.googlecompute_family, "^(|[a-z]([a-z0-9-]{0,61}[a-z0-9])?)$", "ok") == "ok"
    error_message = "The googlecompute_family has lower-case letters, digits and hyphens, 63 at most."
  }
}

variable "googlecompute_storage_locations" {
  type        = list(string)
  description = "Where the finished image is kept: one region or multi-region; none: near the zone."
  default     = []
  validation {
    condition     = length(var.googlecompute_storage_locations) <= 1
    error_message = "The googlecompute_storage_locations name one place."
  }
}
