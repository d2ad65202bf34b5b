// What Node.js offers beyond the language itself, as far as programs that read and print need it. The types of the
// usual ways to read are exact; what is seldom used is of any type, so that it compiles and is not checked.

interface ReadStream {
  setEncoding(encoding: string): this;
  on(event: "end" | "close", listener: () => void): this;
  on(event: string, listener: (chunk: any) => void): this;
  once(event: string, listener: (...values: any[]) => void): this;
  read(size?: number): any;
  resume(): this;
  pause(): this;
  readonly fd: number;
  [Symbol.asyncIterator](): AsyncIterableIterator<any>;
  [name: string]: any;
}

interface WriteStream {
  write(chunk: string | Uint8Array, ...rest: any[]): boolean;
  end(chunk?: string | Uint8Array): void;
  [name: string]: any;
}

declare const process: {
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly stderr: WriteStream;
  readonly argv: string[];
  readonly env: { [name: string]: string | undefined };
  exitCode: number | undefined;
  exit(code?: number): never;
  hrtime: { (since?: [number, number]): [number, number]; bigint(): bigint };
  nextTick(callback: (...values: any[]) => void, ...values: any[]): void;
  memoryUsage(): { rss: number; heapTotal: number; heapUsed: number };
  on(event: string, listener: (...values: any[]) => void): void;
  [name: string]: any;
};

declare const console: {
  log(...values: any[]): void;
  error(...values: any[]): void;
  info(...values: any[]): void;
  warn(...values: any[]): void;
  debug(...values: any[]): void;
  [name: string]: any;
};

declare function require(name: string): any;
declare var module: any;
declare var exports: any;
declare const __dirname: string;
declare const __filename: string;
declare const performance: { now(): number };
declare const Buffer: any;
declare const TextEncoder: any;
declare const TextDecoder: any;
declare function setTimeout(callback: (...values: any[]) => void, delay_ms?: number, ...values: any[]): any;
declare function setInterval(callback: (...values: any[]) => void, delay_ms?: number, ...values: any[]): any;
declare function setImmediate(callback: (...values: any[]) => void, ...values: any[]): any;
declare function clearTimeout(timer: any): void;
declare function clearInterval(timer: any): void;
declare function queueMicrotask(callback: () => void): void;
declare function structuredClone<T>(value: T): T;

declare module "fs" {
  export function readFileSync(file: string | number, encoding: string | { encoding: string }): string;
  export function readFileSync(file: string | number): any;
  export function writeFileSync(file: string | number, data: string | Uint8Array, ...rest: any[]): void;
  export function writeSync(file: number, data: string | Uint8Array, ...rest: any[]): number;
  export function readSync(file: number, buffer: any, ...rest: any[]): number;
  export const promises: any;
  export function createReadStream(file: string, ...rest: any[]): ReadStream;
  export function createWriteStream(file: string, ...rest: any[]): WriteStream;
  export function existsSync(file: string): boolean;
}

declare module "readline" {
  export interface Interface {
    on(event: "line", listener: (line: string) => void): this;
    on(event: "close", listener: () => void): this;
    once(event: string, listener: (...values: any[]) => void): this;
    question(query: string, callback: (answer: string) => void): void;
    close(): void;
    [Symbol.asyncIterator](): AsyncIterableIterator<string>;
  }
  export function createInterface(options: {
    input: ReadStream;
    output?: WriteStream;
    terminal?: boolean;
    [name: string]: any;
  }): Interface;
  export function createInterface(input: ReadStream, output?: WriteStream): Interface;
}

declare module "node:fs" {
  export * from "fs";
}
declare module "node:readline" {
  export * from "readline";
}

declare module "assert";
declare module "buffer";
declare module "crypto";
declare module "events";
declare module "fs/promises";
declare module "os";
declare module "path";
declare module "perf_hooks";
declare module "process";
declare module "readline/promises";
declare module "stream";
declare module "string_decoder";
declare module "timers";
declare module "timers/promises";
declare module "url";
declare module "util";
declare module "worker_threads";
declare module "node:assert";
declare module "node:buffer";
declare module "node:crypto";
declare module "node:events";
declare module "node:fs/promises";
declare module "node:os";
declare module "node:path";
declare module "node:perf_hooks";
declare module "node:process";
declare module "node:readline/promises";
declare module "node:stream";
declare module "node:string_decoder";
declare module "node:timers";
declare module "node:timers/promises";
declare module "node:url";
declare module "node:util";
declare module "node:worker_threads";
