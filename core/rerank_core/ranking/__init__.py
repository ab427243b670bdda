"""What goes in and what comes out: candidates, the ranking, its report, and how it shows itself."""
