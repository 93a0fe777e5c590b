// An old address leads on, and what stood behind its # goes along, which a refresh by itself drops.

location.replace(document.currentScript.dataset.to + location.hash);
