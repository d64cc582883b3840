# Packer 1.6.6 has no regex(): a pattern that fits is replaced by ok.
# What the plan knows comes from <image>.auto.pkrvars.json; the last variable is for whoever runs Packer.

variable "builders" {
  type        = list(string)
  description = "Builders that this folder has files of, by Packer's name of their type."
  validation {
    condition     = length(var.builders) > 0 && length(var.builders) == length(distinct(var.builders))
    error_message = "The builders name one or more, each once."
  }
}

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
