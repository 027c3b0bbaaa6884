/** Ctrl+K: every command by its first letters, without the mouse. */
import { Kbd, Modal, TextInput } from '@mantine/core';
import { useId, useState, type KeyboardEvent } from 'react';
import { commandsFor, type Command } from '../commands.ts';
import { useDesk } from '../stores/desk.ts';
import { closeDialog } from '../stores/frame.ts';

export function Commands() {
  const box = useDesk((s) => s.box);
  const list = useId();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const found = commandsFor(box).filter((c) => c.title.toLowerCase().includes(text.trim().toLowerCase()));
  const chosen = Math.min(at, found.length - 1);
  const run = (command: Command | undefined) => {
    if (!command) return;
    closeDialog();
    command.run();
  };
  const key = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Enter') run(found[chosen]);
    else if (by === undefined) return;
    else setAt((chosen + by + found.length) % Math.max(1, found.length));
    event.preventDefault();
  };
  return (
    <Modal opened onClose={closeDialog} title="Commands" withCloseButton={false} yOffset="12vh">
      <TextInput
        data-autofocus
        role="combobox"
        aria-label="Command"
        aria-expanded
        aria-controls={list}
        aria-activedescendant={found.length ? `${list}-${chosen}` : undefined}
        value={text}
        onChange={(e) => {
          setText(e.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={key}
      />
      <ul role="listbox" id={list} aria-label="Commands" className="commands">
        {found.map((command, n) => (
          <li
            key={command.title}
            id={`${list}-${n}`}
            role="option"
            aria-selected={n === chosen}
            onClick={() => run(command)}
          >
            {command.title}
            {command.keys && <Kbd size="xs">{command.keys}</Kbd>}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="lines-none">No command has these letters.</p>}
    </Modal>
  );
}
