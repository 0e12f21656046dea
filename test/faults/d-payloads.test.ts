import { runEntries } from './helpers/run-entries.ts'
import { payloads } from './lines/d-payloads.ts'

runEntries('D', 'What is in a body', payloads)
