import { runEntries } from './helpers/run-entries.ts'
import { processes } from './lines/h-processes.ts'

runEntries('H', 'The life of the process', processes)
