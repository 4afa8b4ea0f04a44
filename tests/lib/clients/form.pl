# A form by LWP: perl form.pl URL; the file f, under two names, and a field.
use HTTP::Request::Common;
use LWP::UserAgent;

my $answer = LWP::UserAgent->new->request(POST $ARGV[0],
	Content_Type => 'form-data',
	Content => [note => 'x', up => ['f'], up => ['f', 'a b.txt']]);
print $answer->code, ' ', join(' ', $answer->content =~ /"name":"([^"]*)","location"/g), "\n";
