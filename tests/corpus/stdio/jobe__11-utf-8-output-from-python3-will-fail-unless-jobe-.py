print("Un rôle délétère")
