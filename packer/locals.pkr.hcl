locals {
  build_user = "imagegen-build"
  build_key  = "${path.root}/build-key"
  seed       = "${path.root}/seed/user-data"

  # One command, for root's right to go on ends with the user it was given to.
  remove_build_user = "sudo sh -c 'userdel --force --remove ${local.build_user}; rm -f /etc/sudoers.d/90-cloud-init-users'"
  power_off         = "sudo sh -c 'userdel --force --remove ${local.build_user}; rm -f /etc/sudoers.d/90-cloud-init-users; systemctl poweroff'"

  description = "Kubernetes ${var.kubernetes_version} node on ${var.os}"
  stamps = {
    "imagegen/image"       = var.image_name
    "imagegen/fingerprint" = var.image_fingerprint
    "imagegen/kubernetes"  = var.kubernetes_version
    "imagegen/os"          = var.os
  }
  tags = merge(var.tags, local.stamps)

  # Azure takes no slash in a tag's name, and a property with one is awkward in OpenStack.
  dashed_tags = merge(var.tags, { for name, value in local.stamps : replace(name, "/", "-") => value })
}
