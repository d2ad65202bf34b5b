"use strict";
const assayFs = require("fs");
const assayVm = require("vm");
const assayStdin = assayFs.readFileSync(0, "utf8");
const assaySplit = assayStdin.indexOf("\n");
const assayHeader = JSON.parse(assayStdin.slice(0, assaySplit));
const assayArguments = JSON.parse(assayStdin.slice(assaySplit + 1));

Object.assign(globalThis, { require, module, exports });

{{{ prelude }}}

// The student's code is a script of its own: nothing in it can close a string or comment of this text, its line
// numbers are its own, and what it declares at the top is seen by later scripts.
assayVm.runInThisContext(assayFs.readFileSync("solution.js", "utf8"), { filename: "solution.js" });

{{{ postlude }}}

function assayFrame(answer) {
  let frame = Buffer.from(`\n${assayHeader.nonce}${JSON.stringify(answer)}${assayHeader.nonce}\n`);
  while (frame.length > 0) {
    frame = frame.subarray(assayFs.writeSync(1, frame));
  }
}

function assayPlain(key, value) {
  // JSON.stringify would turn these into null or drop them without a word.
  if ((typeof value === "number" && !Number.isFinite(value)) || ["undefined", "function", "symbol"].includes(typeof value)) {
    throw new TypeError(`${String(value)} is not a JSON value`);
  }
  return value;
}

async function assayCall() {
  const declared = assayVm.runInThisContext('typeof {{{ entry_point }}} === "function" ? {{{ entry_point }}} : undefined');
  const callee = declared ?? module.exports["{{{ entry_point }}}"];
  if (typeof callee !== "function") {
    throw new ReferenceError("There is no function named {{{ entry_point }}} in the program.");
  }
  const value = await (Array.isArray(assayArguments) ? callee(...assayArguments) : callee(assayArguments));
  let answer;
  try {
    answer = { value: JSON.parse(JSON.stringify(value, assayPlain)) };
  } catch (error) {
    answer = { fault: String(error).slice(0, 200) };
  }
  assayFrame(answer);
}

assayCall();
