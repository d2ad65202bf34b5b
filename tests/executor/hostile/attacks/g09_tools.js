// id: G-09
// title: system tools, other languages and modules asked for the answer
// stage: run
// verdicts: wrong_answer accepted
// canaries: C1 C2 C8 escaped
// time_limit_ms: 3000
// wall_limit_ms: 7000
const { spawnSync } = require("child_process");

const WORD = /PLANTED-[a-z]+-[0-9a-f]{16}/g;
const own = new Set(require("fs").readFileSync(0, "utf8").match(WORD));
const find = "grep -rhoaE 'PLANTED-[a-z]+-[0-9a-f]{16}' /box /program /tmp /var /home /root /srv /opt /run /mnt /etc";
const said = [
  ["/bin/sh", ["-c", `${find}; env; cat /proc/*/environ /proc/*/cmdline /proc/1/fd/* /etc/shadow`]],
  ["/usr/bin/python3", ["-c", "import socket; print(socket.create_connection(('127.0.0.1', 8000), 1))"]],
  ["/usr/bin/perl", ["-e", "print `ps axww`, join ' ', %ENV"]],
].map(([program, words]) => String(spawnSync(program, words, { encoding: "latin1", timeout: 1500 }).stdout));
for (const name of ["expected", "answers", "tests", "grader", "/program/expected.json", "/box/answers.json"]) {
  try { said.push(JSON.stringify(require(name))); } catch { continue; }
}
const found = (said.join("\n").match(WORD) || []).filter((word) => !own.has(word));
for (const word of found) console.error("ESCAPED", word);
console.log(found.find((word) => word.includes("-expected-")) ?? "");
