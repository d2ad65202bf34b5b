// id: G-06
// title: every text on its own heap, by the engine's own snapshot, and all that modules and globals hold
// stage: run
// verdicts: wrong_answer accepted
// canaries: C2 C8 escaped
// time_limit_ms: 5000
// wall_limit_ms: 11000
// memory_limit_mb: 256
const WORD = /PLANTED-[a-z]+-[0-9a-f]{16}/g;

function texts() {
  const found = [JSON.stringify(process.env), process.argv.join(" "), process.execArgv.join(" ")];
  const path = require("v8").writeHeapSnapshot("/tmp/heap.heapsnapshot");
  found.push(require("fs").readFileSync(path, "latin1"));
  const seen = new Set();
  const pending = [globalThis, require.cache, process.mainModule, module, require.main];
  while (pending.length && seen.size < 100000) {
    const thing = pending.pop();
    if (typeof thing === "string") found.push(thing);
    if (thing === null || !["object", "function"].includes(typeof thing) || seen.has(thing)) continue;
    seen.add(thing);
    if (typeof thing === "function") found.push(Function.prototype.toString.call(thing));
    for (const key of Reflect.ownKeys(thing)) {
      const held = Object.getOwnPropertyDescriptor(thing, key);
      pending.push(held.value, held.get, held.set);
    }
  }
  return found;
}

function solve(...given) {
  const own = new Set(JSON.stringify(given).match(WORD));
  const found = [...new Set(texts().join("\n").match(WORD))].filter((word) => !own.has(word));
  for (const word of found) console.log("ESCAPED", word);
  return found.find((word) => word.includes("-expected-")) ?? "";
}
