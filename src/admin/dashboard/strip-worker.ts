import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'

parentPort?.postMessage(
  (workerData as readonly string[]).map(href => stripTypeScriptTypes(readFileSync(new URL(href), 'utf8'))),
)
