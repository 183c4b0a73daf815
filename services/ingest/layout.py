"""The demonstration shop: its cameras, shared by the sample day and the simulated feed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShopCamera:
    """A camera as the vendor would describe it; `camera_group` is the store."""

    camera_id: str
    description: str
    zone: str
    camera_group: str = "Riverside"
    department: str = "Supermarkets"
    division: str = "North"


CAMERAS: tuple[ShopCamera, ...] = (
    ShopCamera("6b1f0c52-3c0e-4d0c-9a35-0f5f6a2e7c01", "Main entrance", "Front door"),
    ShopCamera("6b1f0c52-3c0e-4d0c-9a35-0f5f6a2e7c02", "Parking entrance", "Back door"),
    ShopCamera("6b1f0c52-3c0e-4d0c-9a35-0f5f6a2e7c03", "Fresh produce", "Market hall"),
    ShopCamera("6b1f0c52-3c0e-4d0c-9a35-0f5f6a2e7c04", "Bakery", "Market hall"),
    ShopCamera("6b1f0c52-3c0e-4d0c-9a35-0f5f6a2e7c05", "Drinks aisle", "Aisles"),
    ShopCamera("6b1f0c52-3c0e-4d0c-9a35-0f5f6a2e7c06", "Household aisle", "Aisles"),
    ShopCamera("6b1f0c52-3c0e-4d0c-9a35-0f5f6a2e7c07", "Cashier 1", "Checkout"),
    ShopCamera("6b1f0c52-3c0e-4d0c-9a35-0f5f6a2e7c08", "Cashier 2", "Checkout"),
)
ENTRANCES = CAMERAS[:2]
AISLES = CAMERAS[2:6]
CASHIERS = CAMERAS[6:]
