source "vsphere-clone" "node" {
  vcenter_server = var.vsphere_server
  username       = var.vsphere_user
  password       = var.vsphere_password

  datacenter    = var.vsphere_datacenter
  cluster       = var.vsphere_cluster
  host          = var.vsphere_host
  resource_pool = var.vsphere_resource_pool
  datastore     = var.vsphere_datastore
  folder        = var.vsphere_folder
  network       = var.vsphere_network

  template            = var.vsphere_template
  vm_name             = var.image_name
  notes               = jsonencode(local.stamps)
  CPUs                = var.vsphere_cpus
  RAM                 = var.vsphere_memory_mib
  disk_size           = var.vsphere_disk_gib * 1024
  convert_to_template = true

  # The seed is on a disc and not in guestinfo: that would stay with the template, and be read by its clones.
  cd_label     = "cidata"
  cd_files     = ["${path.root}/seed/user-data", "${path.root}/seed/meta-data"]
  remove_cdrom = true

  ssh_username              = local.build_user
  ssh_private_key_file      = local.build_key
  ssh_clear_authorized_keys = true
  ssh_timeout               = "15m"
  shutdown_command          = local.power_off
  shutdown_timeout          = "5m"
}

variable "vsphere_server" {
  type        = string
  description = "vCenter's host name; from VSPHERE_SERVER in the environment unless the spec has it. Its certificate is checked."
  default     = env("VSPHERE_SERVER")
  validation {
    condition     = regex_replace(var.vsphere_server, "^[A-Za-z0-9.:-]*$", "ok") == "ok"
    error_message = "The vsphere_server is a host name."
  }
}

variable "vsphere_user" {
  type        = string
  description = "User of vCenter; from VSPHERE_USER."
  default     = env("VSPHERE_USER")
  validation {
    condition     = length(var.vsphere_user) <= 255
    error_message = "The vsphere_user has 255 characters or fewer."
  }
}

variable "vsphere_password" {
  type        = string
  description = "That user's password; from VSPHERE_PASSWORD."
  default     = env("VSPHERE_PASSWORD")
  sensitive   = true
  validation {
    condition     = length(var.vsphere_password) <= 255
    error_message = "The vsphere_password has 255 characters or fewer."
  }
}

variable "vsphere_datacenter" {
  type        = string
  description = "Datacenter; empty: the only one."
  default     = ""
  validation {
    condition     = length(var.vsphere_datacenter) <= 255
    error_message = "The vsphere_datacenter has 255 characters or fewer."
  }
}

variable "vsphere_cluster" {
  type        = string
  description = "Cluster that the building machine runs in; empty: vsphere_host."
  default     = ""
  validation {
    condition     = length(var.vsphere_cluster) <= 255
    error_message = "The vsphere_cluster has 255 characters or fewer."
  }
}

variable "vsphere_host" {
  type        = string
  description = "ESXi host that the building machine runs on; empty: one of vsphere_cluster."
  default     = ""
  validation {
    condition     = regex_replace(var.vsphere_host, "^[A-Za-z0-9.:-]*$", "ok") == "ok"
    error_message = "The vsphere_host is a host name."
  }
}

variable "vsphere_resource_pool" {
  type        = string
  description = "Resource pool of the building machine; empty: the cluster's own."
  default     = ""
  validation {
    condition     = length(var.vsphere_resource_pool) <= 255
    error_message = "The vsphere_resource_pool has 255 characters or fewer."
  }
}

variable "vsphere_datastore" {
  type        = string
  description = "Datastore of the template and of the disc with the seed; empty: the host's only one."
  default     = ""
  validation {
    condition     = length(var.vsphere_datastore) <= 255
    error_message = "The vsphere_datastore has 255 characters or fewer."
  }
}

variable "vsphere_folder" {
  type        = string
  description = "Folder that the finished template is put into."
  default     = ""
  validation {
    condition     = length(var.vsphere_folder) <= 255
    error_message = "The vsphere_folder has 255 characters or fewer."
  }
}

variable "vsphere_network" {
  type        = string
  description = "Network of the building machine; empty: the source's."
  default     = ""
  validation {
    condition     = length(var.vsphere_network) <= 255
    error_message = "The vsphere_network has 255 characters or fewer."
  }
}

variable "vsphere_template" {
  type        = string
  description = "Template that is cloned: it has cloud-init, whose list of data sources has NoCloud, and open-vm-tools."
  default     = ""
  validation {
    condition     = length(var.vsphere_template) <= 255
    error_message = "The vsphere_template has 255 characters or fewer."
  }
}

variable "vsphere_cpus" {
  type        = number
  description = "Processors of the building machine."
  default     = 2
  validation {
    condition     = var.vsphere_cpus >= 1
    error_message = "The vsphere_cpus is 1 or more."
  }
}

variable "vsphere_memory_mib" {
  type        = number
  description = "Memory of the building machine."
  default     = 2048
  validation {
    condition     = var.vsphere_memory_mib >= 512
    error_message = "The vsphere_memory_mib is 512 or more."
  }
}

variable "vsphere_disk_gib" {
  type        = number
  description = "Size of the vSphere image's disk; no smaller than the source's."
  default     = 20
  validation {
    condition     = var.vsphere_disk_gib >= 8 && var.vsphere_disk_gib <= 2048
    error_message = "The vsphere_disk_gib is between 8 and 2048."
  }
}
