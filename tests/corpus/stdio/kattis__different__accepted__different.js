const lines = require("fs").readFileSync(0, "utf8").trim().split("\n");
for (const line of lines) {
  const [first, second] = line.split(" ").map(BigInt);
  console.log(String(first > second ? first - second : second - first));
}
