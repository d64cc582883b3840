locals {
  # QEMU's usual CPU is too old for systems that are built for x86-64-v2; the host's own needs KVM, or its like.
  qemu_host_cpu = contains(["kvm", "hvf"], var.qemu_accelerator) ? "host" : ""
  qemu_cpu      = var.qemu_cpu_model != "" ? var.qemu_cpu_model : local.qemu_host_cpu
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
  qemuargs = concat(
    [["-netdev", "user,id=user.0,restrict=${var.qemu_outbound ? "off" : "on"},hostfwd=tcp:127.0.0.1:{{ .SSHHostPort }}-:22"]],
    [for model in compact([local.qemu_cpu]) : ["-cpu", model]],
  )

  boot_wait                 = "1s"
  ssh_username              = local.build_user
  ssh_private_key_file      = local.build_key
  ssh_clear_authorized_keys = true
  ssh_timeout               = "15m"
  shutdown_command          = local.power_off
  shutdown_timeout          = "5m"
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

variable "qemu_cpu_model" {
  type        = string
  description = "CPU of the machine that builds the qemu image; empty: the host's with KVM, QEMU's usual one without."
  default     = ""
  validation {
    condition     = regex_replace(var.qemu_cpu_model, "^[A-Za-z0-9_.,+=-]*$", "ok") == "ok"
    error_message = "The qemu_cpu_model looks like host or max."
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

variable "output_dir" {
  type        = string
  description = "Folder that the qemu builder makes for its disk; it must not be there yet."
  default     = "output"
  validation {
    condition     = length(var.output_dir) > 0
    error_message = "The output_dir is empty."
  }
}
