import type { QueryResult } from 'pg'
import type { Sequelize, Transaction } from 'sequelize'
import type { Sql } from '../sql'

/** Plain statements inside a Sequelize transaction, through the same door as everywhere else. */
export function sequelizeSql(sequelize: Sequelize, transaction: Transaction): Sql {
  const query = async (text: string, values: readonly unknown[] = []) => {
    const [rows, result] = await sequelize.query(text, { bind: [...values], transaction })
    // Of an insert or an update Sequelize tells only how many rows it touched.
    const told = typeof result === 'number' ? { rowCount: result } : (result as QueryResult)
    return { ...told, rows }
  }
  // What the rows hold is known to who asks, here as with the driver itself.
  return { query } as Sql
}
