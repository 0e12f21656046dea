// A module for `--import`: at SIGWINCH, the process writes its used heap after garbage collection to its log.
import { writeSync } from 'node:fs'
import { heapAfterGc } from '../../../bench/lib/heap.ts'

process.on('SIGWINCH', () => {
  writeSync(1, `${JSON.stringify({ level: 30, msg: 'heap measured', pid: process.pid, bytes: heapAfterGc() })}\n`)
})
