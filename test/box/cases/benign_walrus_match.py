def solve(x):
    match x:
        case 2: return (y := 4)
    return 0
