from tobiishi.cli import main

main()
