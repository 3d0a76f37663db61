"""fokker's networks in PyTorch, one file each.

Parts stand in the order of fokker's fields, so that `formula.fill` gives both sides the same weights. A work is a network, the
shape of its states and the number of its classes.
"""

from . import course_unet, dit, mlp, unet, vae

# Image shape (None: points in the plane) and classes.
WORKS = {
    "mlp": (lambda: mlp.Mlp(256), None, 0),
    "ring": (lambda: mlp.Mlp(64), None, 0),
    "unet": (lambda: unet.UNet([64, 128, 256], image=[3, 32, 32], classes=10), [3, 32, 32], 10),
    "course-unet": (lambda: course_unet.CourseUNet(image=[1, 32, 32], classes=10), [1, 32, 32], 10),
    "dit": (lambda: dit.DiT(dit.ORIGINAL, image=[3, 32, 32], classes=10), [3, 32, 32], 10),
    "vae": (lambda: vae.Vae(image=[1, 32, 32]), [1, 32, 32], 0),
    "course-dit": (lambda: dit.DiT(dit.COURSE, image=[1, 32, 32], classes=10), [1, 32, 32], 10),
}
