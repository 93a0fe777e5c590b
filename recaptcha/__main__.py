"""`python -m recaptcha COMMAND`: the four commands without their installation."""
from recaptcha.cli import main

if __name__ == "__main__":
    main()
