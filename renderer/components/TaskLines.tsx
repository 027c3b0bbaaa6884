/** The tasks of a job in the tool's own words: the last ones that ended, and the one that is on its way. */
import type { TaskView } from '../../preload/contract/reduce.ts';
import { duration } from '../numbers.ts';

const LOOKS: Record<TaskView['state'], { icon: string; word: string }> = {
  begin: { icon: '▶', word: 'running' },
  ok: { icon: '✓', word: 'ok' },
  changed: { icon: '●', word: 'changed' },
  failed: { icon: '✕', word: 'failed' },
  skipped: { icon: '–', word: 'skipped' },
};

export function TaskLines({ tasks }: { tasks: readonly TaskView[] }) {
  return (
    <ul className="tasks">
      {tasks.map((task) => {
        const { icon, word } = LOOKS[task.state];
        return (
          <li key={`${task.index} ${task.name}`} data-state={task.state}>
            <span aria-hidden className="task-icon">
              {icon}
            </span>
            <span className="task-name" title={task.name}>
              {task.name}
            </span>
            <span className="task-word">{word}</span>
            <span className="task-time">{task.seconds === null ? '' : duration(task.seconds)}</span>
          </li>
        );
      })}
    </ul>
  );
}
