import { runEntries } from './helpers/run-entries.ts'
import { statuses } from './lines/e-statuses.ts'

runEntries('E', 'Statuses, retries and redirects', statuses)
