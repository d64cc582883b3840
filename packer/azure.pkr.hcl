source "azure-arm" "node" {
  # Azure's own variables have no meaning for the builder: these are read from the environment below.
  subscription_id    = var.azure_subscription_id
  tenant_id          = var.azure_tenant_id
  client_id          = var.azure_client_id
  client_secret      = var.azure_client_secret
  use_azure_cli_auth = var.azure_client_id == ""

  # Taking the first of none fails: without these the builder makes a group, a network and a public address of its own.
  build_resource_group_name              = element(compact([var.azure_build_resource_group]), 0)
  virtual_network_name                   = element(compact([var.azure_virtual_network]), 0)
  virtual_network_subnet_name            = element(compact([var.azure_subnet]), 0)
  virtual_network_resource_group_name    = var.azure_network_resource_group
  private_virtual_network_with_public_ip = var.azure_public_ip

  os_type         = "Linux"
  image_publisher = var.azure_image_publisher
  image_offer     = var.azure_image_offer
  image_sku       = var.azure_image_sku
  image_version   = var.azure_image_version
  vm_size         = var.azure_vm_size
  os_disk_size_gb = var.azure_disk_gib

  managed_image_name                 = var.image_name
  managed_image_resource_group_name  = element(compact([var.azure_image_resource_group]), 0)
  managed_image_storage_account_type = var.azure_storage_type
  # A managed image says nowhere when it was made.
  azure_tags = merge(local.dashed_tags, { "imagegen-made" = timestamp() })

  # The builder encodes what is in the file.
  custom_data_file          = local.seed
  ssh_username              = local.build_user
  ssh_private_key_file      = local.build_key
  ssh_clear_authorized_keys = true
  ssh_timeout               = "15m"
}

variable "azure_subscription_id" {
  type        = string
  description = "Subscription in which the image is built; from ARM_SUBSCRIPTION_ID in the environment."
  default     = env("ARM_SUBSCRIPTION_ID")
  validation {
    condition     = regex_replace(var.azure_subscription_id, "^[0-9A-Fa-f-]*$", "ok") == "ok"
    error_message = "The azure_subscription_id is a UUID."
  }
}

variable "azure_tenant_id" {
  type        = string
  description = "Tenant of the application that builds; from ARM_TENANT_ID."
  default     = env("ARM_TENANT_ID")
  validation {
    condition     = regex_replace(var.azure_tenant_id, "^[0-9A-Fa-f-]*$", "ok") == "ok"
    error_message = "The azure_tenant_id is a UUID."
  }
}

variable "azure_client_id" {
  type        = string
  description = "Application that builds; from ARM_CLIENT_ID. Empty: whoever is logged in with the az command."
  default     = env("ARM_CLIENT_ID")
  validation {
    condition     = regex_replace(var.azure_client_id, "^[0-9A-Fa-f-]*$", "ok") == "ok"
    error_message = "The azure_client_id is a UUID."
  }
}

variable "azure_client_secret" {
  type        = string
  description = "That application's secret; from ARM_CLIENT_SECRET."
  default     = env("ARM_CLIENT_SECRET")
  sensitive   = true
  validation {
    condition     = regex_replace(var.azure_client_secret, "\\s", "") == var.azure_client_secret
    error_message = "The azure_client_secret has a blank in it."
  }
}

variable "azure_build_resource_group" {
  type        = string
  description = "Resource group that the building machine is made in, and its location with it."
  default     = ""
  validation {
    condition     = regex_replace(var.azure_build_resource_group, "^[A-Za-z0-9()._-]{0,90}$", "ok") == "ok"
    error_message = "The azure_build_resource_group is the name of a resource group."
  }
}

variable "azure_virtual_network" {
  type        = string
  description = "Virtual network of the building machine; the security group of its subnet says who gets in."
  default     = ""
  validation {
    condition     = regex_replace(var.azure_virtual_network, "^[A-Za-z0-9._-]{0,64}$", "ok") == "ok"
    error_message = "The azure_virtual_network is the name of a virtual network."
  }
}

variable "azure_subnet" {
  type        = string
  description = "Subnet of the building machine."
  default     = ""
  validation {
    condition     = regex_replace(var.azure_subnet, "^[A-Za-z0-9._-]{0,80}$", "ok") == "ok"
    error_message = "The azure_subnet is the name of a subnet."
  }
}

variable "azure_network_resource_group" {
  type        = string
  description = "Resource group of the virtual network, if it is not the building machine's."
  default     = ""
  validation {
    condition     = regex_replace(var.azure_network_resource_group, "^[A-Za-z0-9()._-]{0,90}$", "ok") == "ok"
    error_message = "The azure_network_resource_group is the name of a resource group."
  }
}

variable "azure_public_ip" {
  type        = bool
  description = "Whether Packer reaches the building machine by a public address; otherwise it has none."
  default     = false
}

variable "azure_image_publisher" {
  type        = string
  description = "Publisher of the marketplace image that the builder starts from."
  default     = ""
  validation {
    condition     = regex_replace(var.azure_image_publisher, "^[A-Za-z0-9._-]*$", "ok") == "ok"
    error_message = "The azure_image_publisher looks like Debian."
  }
}

variable "azure_image_offer" {
  type        = string
  description = "Offer of that image."
  default     = ""
  validation {
    condition     = regex_replace(var.azure_image_offer, "^[A-Za-z0-9._-]*$", "ok") == "ok"
    error_message = "The azure_image_offer looks like debian-12."
  }
}

variable "azure_image_sku" {
  type        = string
  description = "SKU of that image."
  default     = ""
  validation {
    condition     = regex_replace(var.azure_image_sku, "^[A-Za-z0-9._-]*$", "ok") == "ok"
    error_message = "The azure_image_sku looks like 12-gen2."
  }
}

variable "azure_image_version" {
  type        = string
  description = "Version of that image."
  default     = "latest"
  validation {
    condition     = regex_replace(var.azure_image_version, "^(latest|[0-9]+(\\.[0-9]+)+)$", "ok") == "ok"
    error_message = "The azure_image_version is latest, or looks like 0.20260801.2185."
  }
}

variable "azure_vm_size" {
  type        = string
  description = "Size of the building machine."
  default     = "Standard_D2s_v5"
  validation {
    condition     = regex_replace(var.azure_vm_size, "^[A-Za-z0-9_-]+$", "ok") == "ok"
    error_message = "The azure_vm_size looks like Standard_D2s_v5."
  }
}

variable "azure_disk_gib" {
  type        = number
  description = "Size of the Azure image's disk; no smaller than the source's."
  default     = 30
  validation {
    condition     = var.azure_disk_gib >= 8 && var.azure_disk_gib <= 2048
    error_message = "The azure_disk_gib is between 8 and 2048."
  }
}

variable "azure_image_resource_group" {
  type        = string
  description = "Resource group that the finished image is put into."
  default     = ""
  validation {
    condition     = regex_replace(var.azure_image_resource_group, "^[A-Za-z0-9()._-]{0,90}$", "ok") == "ok"
    error_message = "The azure_image_resource_group is the name of a resource group."
  }
}

variable "azure_storage_type" {
  type        = string
  description = "Kind of storage that the finished image is kept on."
  default     = "Standard_LRS"
  validation {
    condition     = contains(["Standard_LRS", "Premium_LRS"], var.azure_storage_type)
    error_message = "The azure_storage_type is Standard_LRS or Premium_LRS."
  }
}
