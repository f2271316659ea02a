def turn(m):
    for i in range(len(m)):
        for j in range(i):
            m[i][j], m[j][i] = m[j][i], m[i][j]
def solve(how, x):
    if how == "turn":
        return turn(x)
    if how == "raise":
        x.append(1)
        raise ValueError
    if how == "share":
        x["b"] = x["a"]
        return {"same": x, "inner": x["a"]}
    x["new"].append(1)
    return x
