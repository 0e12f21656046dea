import { runEntries } from './helpers/run-entries.ts'
import { inbound } from './lines/i-inbound.ts'

runEntries('I', 'What callers do', inbound)
