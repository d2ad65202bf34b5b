// id: L-01
// title: every file, link, variable and descriptor it may read, on all mounts and in /proc
// stage: run
// verdicts: wrong_answer accepted
// canaries: C2 C8 escaped
// time_limit_ms: 5000
// wall_limit_ms: 11000
const fs = require("fs");

const WORD = /PLANTED-[a-z]+-[0-9a-f]{16}/g;
const words = (text) => text.match(WORD) || [];
const own = new Set(words(fs.readFileSync(0, "utf8")));
const found = new Set(words(JSON.stringify([process.env, process.argv, process.execArgv, process.report?.getReport()])));
let looked = 0;

function walk(directory, depth) {
  let names = [];
  try { names = fs.readdirSync(directory); } catch { return; }
  for (const name of names) {
    const path = `${directory === "/" ? "" : directory}/${name}`;
    if (["/usr", "/dev", "/sys"].includes(path)) continue;
    words(path).forEach((word) => found.add(word));
    try {
      const kind = fs.lstatSync(path);
      if (kind.isSymbolicLink()) words(fs.readlinkSync(path)).forEach((word) => found.add(word));
      if (kind.isDirectory()) { if (depth < (path.startsWith("/proc") ? 4 : 10)) walk(path, depth + 1); continue; }
      const file = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
      const buffer = Buffer.alloc(1 << 16);
      let size = 0;
      try { size = fs.readSync(file, buffer, 0, buffer.length, null); } finally { fs.closeSync(file); }
      words(buffer.toString("latin1", 0, size)).forEach((word) => found.add(word));
      looked += 1;
    } catch { continue; }
  }
}

walk("/", 0);
for (const pid of [1, 2, 3, process.ppid]) for (const way of ["root", "cwd", "environ", "cmdline", "fd/0", "fd/3"])
  walk(`/proc/${pid}/${way}`, 5);
console.error("looked into", looked);
const foreign = [...found].filter((word) => !own.has(word));
for (const word of foreign) console.error("ESCAPED", word);
console.log(foreign.find((word) => word.includes("-expected-")) ?? "");
