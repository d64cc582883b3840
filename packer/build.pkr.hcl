locals {
  # What is uploaded lies here, until the seal removes it. The scripts know the place.
  work = "/var/tmp/imagegen"

  # What a script leaves in /tmp goes with the seal: one call less for each of them.
  as_root = "chmod +x {{ .Path }}; sudo env {{ .Vars }} {{ .Path }}"

  # A lock is there or not, and so is a bundle; what is not there is replaced by a file that is.
  lock          = fileexists("${path.root}/lock.json") ? "${path.root}/lock.json" : ""
  bundle_source = var.bundle_dir == "" ? "${path.root}/hooks/README" : "${var.bundle_dir}/"
  bundle_target = var.bundle_dir == "" ? "${local.work}/" : "${local.work}/bundle"
}

build {
  name = "imagegen"

  # Packer wants the plugin of every source that is named here, whichever of them it builds.
  dynamic "source" {
    for_each = var.builders
    labels   = ["source.${source.value}.node"]
    content {}
  }

  provisioner "shell" {
    inline = [
      "cloud-init status --wait --long",
      "mkdir -p -m 0700 ${local.work} ${local.work}/bundle",
    ]
  }

  provisioner "file" {
    sources = compact([
      "${path.root}/files", "${path.root}/hooks", "${path.root}/verify", "${path.root}/scripts",
      "${path.root}/image.env", "${path.root}/declared.json", local.lock,
    ])
    destination = "${local.work}/"
  }

  provisioner "file" {
    except      = ["qemu.node"]
    source      = local.bundle_source
    destination = local.bundle_target
  }

  provisioner "shell" {
    execute_command  = local.as_root
    skip_clean       = true
    environment_vars = ["IMAGEGEN_MIRRORS=${join(" ", var.mirrors)}"]
    scripts = [
      "${path.root}/scripts/10-gather-files.sh",
      "${path.root}/scripts/20-prepare-system.sh",
      "${path.root}/scripts/30-install-packages.sh",
      "${path.root}/scripts/40-install-files.sh",
      "${path.root}/scripts/50-install-runtime.sh",
      "${path.root}/scripts/60-install-kubernetes.sh",
      "${path.root}/scripts/65-enable-units.sh",
      "${path.root}/scripts/70-import-images.sh",
      "${path.root}/scripts/75-run-hooks.sh",
      "${path.root}/scripts/80-verify-image.sh",
    ]
  }

  provisioner "file" {
    direction   = "download"
    source      = "/var/lib/imagegen-build/report.json"
    destination = "${path.root}/report.json"
  }

  provisioner "shell" {
    execute_command = local.as_root
    skip_clean      = true
    scripts = [
      "${path.root}/scripts/85-require-verified.sh",
      "${path.root}/scripts/86-take-inventory.sh",
    ]
  }

  provisioner "file" {
    direction   = "download"
    source      = "/var/lib/imagegen-build/inventory.json"
    destination = "${path.root}/inventory.json"
  }

  provisioner "shell" {
    execute_command = local.as_root
    skip_clean      = true
    scripts         = ["${path.root}/scripts/90-seal-image.sh"]
  }

  provisioner "shell" {
    except     = ["qemu.node", "vsphere-clone.node"]
    inline     = [local.remove_build_user]
    skip_clean = true
  }

  post-processor "manifest" {
    output     = "${path.root}/manifest.json"
    strip_path = true
    custom_data = merge(var.image_contents, {
      image       = var.image_name
      fingerprint = var.image_fingerprint
      kubernetes  = var.kubernetes_version
    })
  }
}
