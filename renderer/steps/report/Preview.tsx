/** The report as it would be exported, in a frame that runs no script, and whose own policy lets it load nothing. */
import { Modal, Text } from '@mantine/core';
import { WORDS } from './words.ts';

export function Preview({ box, html, onClose }: { box: string; html: string; onClose: () => void }) {
  return (
    <Modal
      opened
      onClose={onClose}
      size="90vw"
      title={WORDS.previewTitle(box)}
      closeButtonProps={{ 'aria-label': WORDS.closePreview }}
    >
      <Text size="sm">{WORDS.previewHelp}</Text>
      <iframe className="report-preview" title={WORDS.previewTitle(box)} sandbox="" srcDoc={html} />
    </Modal>
  );
}
