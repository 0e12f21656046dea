import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { Stripped } from './strip-types.ts'

parentPort?.postMessage((workerData as readonly string[]).map(strip))

function strip(href: string): Stripped {
  try {
    return { text: stripTypeScriptTypes(readFileSync(new URL(href), 'utf8')) }
  } catch (error) {
    return { error }
  }
}
