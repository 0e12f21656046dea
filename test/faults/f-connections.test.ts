import { runEntries } from './helpers/run-entries.ts'
import { connections } from './lines/f-connections.ts'

runEntries('F', 'The life of a connection', connections)
